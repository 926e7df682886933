"""What is trained, and on what: sizes, the folder's data as the package reads them, and a made folder for dry runs."""

import bz2
import functools
import json
import random
import shutil
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from gpu_parts import adapter
from gpu_parts.measuring import on

PARTS = ("train", "dev", "test")
VOCABULARY_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
TREEBANK, TEXT_LANGUAGE = "UD_Wolof-WTB", "ug"


@dataclass(frozen=True)
class Sizes:
    """How large all is; the defaults are the real ones, BERT-base's and the paper's.

    Attributes:
        model: as the library's configuration names them; what is missing is BERT-base's.
        length: wordpieces of an example of pretraining.
        batches: sequences a step in pretraining: as many as a GPU likes, and the paper's.
        sides: of the square matrices whose product is timed.
        text: characters of text that are read.
        turn_seconds: of the timed steps of one turn in pretraining.
        warm_steps, most_steps: of one turn: before the timed ones, and all of them at most.
        sentences: of each labeled part at most.
        batch: sentences in a batch of finetuning.
        together: finetuning jobs at once, the one that matters least last.
        agreement: sequences a step, and steps, whose losses are compared with the CPU's.
    """

    model: dict = field(default_factory=dict)
    length: int = 128
    batches: tuple = (256, 32)
    sides: tuple = (4096, 8192, 16384)
    text: int = 1_200_000
    turn_seconds: float = 3.0
    warm_steps: int = 5
    most_steps: int = 150
    sentences: dict = field(default_factory=lambda: {"train": 100_000, "dev": 100, "test": 100_000})
    batch: int = 64
    together: tuple = (1, 5, 2)
    agreement: tuple = (4, 10)
    threads: int = 16


SMALL_MODEL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
TOY = Sizes(
    model=SMALL_MODEL,
    length=32,
    batches=(8, 4),
    sides=(64,),
    text=20_000,
    turn_seconds=0.05,
    warm_steps=1,
    most_steps=8,
    sentences=dict.fromkeys(PARTS, 24),
    batch=8,
    together=(1, 2),
    agreement=(2, 10),
    threads=1,
)
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072}


class Material:
    """The data of a folder, made ready in another as they are asked for.

    Args:
        source: has a treebank, entities, a dump and a vocabulary, as `made_folder` makes them.
        work: an empty folder.
        sizes: of everything.
    """

    def __init__(self, source, work, sizes):
        self.source, self.work, self.sizes = source, work, sizes

    @functools.cached_property
    def tokenizer(self):
        """Of the vocabulary."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.source / "mbert-vocabulary" / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def model(self, device="cpu", dropout=0.1, **sizes):
        """A masked language model with drawn weights, the same whenever it is made on the device."""
        import torch
        from transformers.models.bert.configuration_bert import BertConfig
        from transformers.models.bert.modeling_bert import BertForMaskedLM

        pieces = self.tokenizer.get_vocab_size()
        config = BertConfig(
            vocab_size=pieces,
            pad_token_id=self.tokenizer.token_to_id("[PAD]"),
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            attn_implementation="sdpa",
            **self.sizes.model | sizes,
        )
        torch.manual_seed(1)
        with torch.device(device):
            return BertForMaskedLM(config)

    @functools.cached_property
    def encoder(self):
        """The folder of an encoder with drawn weights; no measured time has its making in it."""
        folder = self.work / "encoder"
        folder.mkdir(exist_ok=True)  # a part that made half of it may have failed
        self.model(on()).cpu().save_pretrained(folder)
        for name in VOCABULARY_FILES:
            if (self.source / "mbert-vocabulary" / name).is_file():
                shutil.copyfile(self.source / "mbert-vocabulary" / name, folder / name)
        return folder

    @functools.cached_property
    def text(self):
        """The files of the training and the validation text, and how many wordpieces and words the first has."""
        paths = [self.work / name for name in ("train.txt", "valid.txt")]
        numbers = self.work / "numbers.json"
        if numbers.is_file():  # another process has made them
            return *paths, *json.loads(numbers.read_text())
        (dump,) = sorted(self.source.glob("*-pages-articles.xml.bz2"))
        articles, characters = [], 0
        for lines in adapter.pages_of(dump):
            articles.append(lines)
            characters += sum(map(len, lines))
            if characters >= self.sizes.text:
                break
        valid, train = articles[:4], articles[4:]
        for path, chosen in zip(paths, (train, valid), strict=True):
            path.write_text("\n".join("\n".join(lines) + "\n" for lines in chosen), encoding="utf-8")
        lines = [line for lines in train for line in lines]
        pieces = sum(len(one.ids) for one in self.tokenizer.encode_batch_fast(lines, add_special_tokens=False))
        counts = [pieces, sum(len(line.split()) for line in lines)]
        numbers.write_text(json.dumps(counts))
        return *paths, *counts

    def pretraining(self, batch, steps, **changes):
        """Settings of so many steps, with as many copies of the text as they need; what is given overrides."""
        pieces = self.text[2]
        copies = -(-batch * steps // max(pieces // self.sizes.length, 1))
        values = {
            "batch_size": batch,
            "steps_per_epoch": steps,
            "sequence_length": self.sizes.length,
            "learning_rate": 0.01 if self.sizes is TOY else 0.0002,  # a few steps are to show in the loss
            "copies": copies,
            "validation_sentences": 16,
        }
        return adapter.pretraining_settings(**values | changes)

    @functools.cached_property
    def treebank(self):
        """The folder of its conllu files."""
        return self._labeled(self.source / TREEBANK, "{}.conllu", "conllu")

    @functools.cached_property
    def entities(self):
        """The folder of its tsv files."""
        return self._labeled(self.source / f"wikiann-{TEXT_LANGUAGE}", "{}", "tsv")

    def _labeled(self, source, name, ending):
        folder = self.work / ending
        folder.mkdir(exist_ok=True)  # a part that made half of it may have failed
        for part in PARTS:
            sentences = _blocks(source / name.format(part))[: self.sizes.sentences[part]]
            if ending == "tsv":  # WikiAnn has the language's code before each word
                sentences = [
                    "\n".join(line.removeprefix(f"{TEXT_LANGUAGE}:") for line in one.split("\n")) for one in sentences
                ]
            (folder / f"{part}.{ending}").write_text("\n\n".join([*sentences, ""]), encoding="utf-8")
        return folder

    def sentences(self, task, part):
        """How many a whole part of the source has."""
        source = self.source / (f"wikiann-{TEXT_LANGUAGE}" if task == "ner" else TREEBANK)
        return len(_blocks(source / (part if task == "ner" else f"{part}.conllu")))

    def task(self, name):
        """What a finetuning job of a task reads, and how many sentences it trains on."""
        ending = "tsv" if name == "ner" else "conllu"
        folder = self.entities if name == "ner" else self.treebank
        sentences = len(_blocks(folder / f"train.{ending}"))
        return {"task": name, "data": {ending: str(folder)}, "sentences": sentences, "start": str(self.encoder)}


def _blocks(path):
    """The sentences of a file of labeled ones."""
    return [one for one in path.read_text(encoding="utf-8").split("\n\n") if one.strip()]


# -- a folder that is made ---------------------------------------------------------------------------------


def made_folder(folder):
    """Write a folder like the packed one, of words that mean nothing, from which a dry run reads."""
    random_ = random.Random(1)
    syllables = [consonant + vowel for consonant in "bdgklmnprst" for vowel in "aeiou"]
    words = sorted({"".join(random_.choices(syllables, k=random_.randint(1, 3))) for _ in range(400)})

    def sentence():  # some words are much more frequent than others, which a few steps learn
        return random_.choices(words, [1 / rank for rank in range(1, len(words) + 1)], k=random_.randint(3, 12))

    treebank, entities, vocabulary = (
        folder / name for name in (TREEBANK, f"wikiann-{TEXT_LANGUAGE}", "mbert-vocabulary")
    )
    for one in (treebank, entities, vocabulary):
        one.mkdir(parents=True)
    for part in PARTS:
        (treebank / f"{part}.conllu").write_text("".join(_tree(sentence()) for _ in range(24)), encoding="utf-8")
        (entities / part).write_text("".join(_named(sentence()) for _ in range(24)), encoding="utf-8")
    pages = "".join(_page(number, [" ".join(sentence()) + "." for _ in range(12)]) for number in range(1, 60))
    dump = f"<mediawiki>{pages}</mediawiki>"
    (folder / f"{TEXT_LANGUAGE}wiki-made-pages-articles.xml.bz2").write_bytes(bz2.compress(dump.encode()))
    letters = sorted({letter for word in words for letter in word})
    pieces = [".", *letters, *(f"##{letter}" for letter in letters), *(word for word in words if len(word) > 1)]
    adapter.made_tokenizer(pieces).save(str(vocabulary / "tokenizer.json"))


def _tree(words):
    """A sentence whose words hang on the first, and are of the class that their last letter tells."""
    rows = []
    for number, word in enumerate(words, start=1):
        head, relation = ("0", "root") if number == 1 else ("1", "dep" if len(word) > 4 else "obj")
        kind = "NOUN" if word[-1] in "ae" else "VERB"
        rows.append("\t".join([str(number), word, "_", kind, "_", "_", head, relation, "_", "_"]))
    return "\n".join([f"# text = {' '.join(words)}", *rows, "", ""])


def _named(words):
    """A sentence with a person's name wherever a word is long."""
    return "\n".join([*(f"{TEXT_LANGUAGE}:{word}\t{'B-PER' if len(word) > 4 else 'O'}" for word in words), "", ""])


def _page(number, lines):
    text = escape("\n".join(lines))
    return (
        f"<page><title>Page {number}</title><ns>0</ns><id>{number}</id>"
        f"<revision><id>{number}</id><text>{text}</text></revision></page>"
    )


def is_folder(path):
    """Whether all is in a folder that the benchmark reads."""
    needed = (TREEBANK, f"wikiann-{TEXT_LANGUAGE}", "mbert-vocabulary/tokenizer.json")
    return all((path / name).exists() for name in needed) and len(list(path.glob("*-pages-articles.xml.bz2"))) == 1
