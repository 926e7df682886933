"""Unlabeled text: from a Wikipedia dump or a plain text to cleaned sentences, split by article.

The rules are the paper's (§2.2.1, A.1) with facts 1 to 6 where it is silent.
"""

from specialize.corpora.articles import Article, CleanArticle, Page
from specialize.corpora.build import build_corpus
from specialize.corpora.cleaning import Cleaner, clean_line
from specialize.corpora.decontamination import LabeledSentence, labeled_sentences
from specialize.corpora.dump import extract, read_dump
from specialize.corpora.own_text import read_articles, read_own_text
from specialize.corpora.processes import clean_all
from specialize.corpora.sentence_ends import OwnMarks, sentence_ends
from specialize.corpora.settings import Cleaning
from specialize.corpora.splits import SPLITS, read_corpus, split_of
from specialize.corpora.twin import transliterate_corpus
from specialize.corpora.word_segmentation import LONG_WORDS, LONGEST_WORD

__all__ = [
    "LONGEST_WORD",
    "LONG_WORDS",
    "SPLITS",
    "Article",
    "CleanArticle",
    "Cleaner",
    "Cleaning",
    "LabeledSentence",
    "OwnMarks",
    "Page",
    "build_corpus",
    "clean_all",
    "clean_line",
    "extract",
    "labeled_sentences",
    "read_articles",
    "read_corpus",
    "read_dump",
    "read_own_text",
    "sentence_ends",
    "split_of",
    "transliterate_corpus",
]
