"""Cleaning in several processes at once, in order, with little in memory."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

from specialize.corpora.articles import Article, CleanArticle, Page
from specialize.corpora.cleaning import Cleaner
from specialize.errors import SpecializeError

BATCH_CHARACTERS = 1 << 18  # of text that a process cleans at a time


def clean_all(articles: Iterable[Page | Article], cleaner: Cleaner, processes: int) -> Iterator[CleanArticle]:
    """Clean articles in their order, in this process or in several; only a few batches are in memory at a time.

    Raises:
        SpecializeError: if a process was killed.
    """
    if processes == 1:
        for batch in _batches(articles):
            yield from cleaner.clean_all(batch)
        return
    # Forked, since a new interpreter would run a job's script again.
    with ProcessPoolExecutor(processes, get_context("fork"), _start_process, (cleaner,)) as pool:
        waiting: deque[Future[list[CleanArticle]]] = deque()
        try:
            for batch in _batches(articles):
                waiting.append(pool.submit(_clean_batch, batch))
                if len(waiting) > 2 * processes:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise SpecializeError("a process that cleans text was killed; is there memory enough?") from error


def _batches(articles: Iterable[Page | Article]) -> Iterator[list[Page | Article]]:
    batch: list[Page | Article] = []
    characters = 0
    for item in articles:
        batch.append(item)
        characters += len(item.text) if isinstance(item, Page) else sum(map(len, item.lines))
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


_cleaner: Cleaner  # set once in each process that cleans


def _start_process(cleaner: Cleaner) -> None:
    global _cleaner
    _cleaner = cleaner
    gc.freeze()  # the labeled sentences stay; looking through them again and again for what can go takes long
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that gives it work was killed, rather than wait for ever."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _clean_batch(batch: list[Page | Article]) -> list[CleanArticle]:
    return _cleaner.clean_all(batch)
