"""A model that is exported loads as anyone loads it, and cuts text as its training did: one test for every family."""

import random

import pytest
import torch
from tests.conftest import ROOT
from tests.pretraining.conftest import DESCRIPTION, SYLLABLES, small_settings, small_tokenizer, write_corpus
from tests.tables.test_tables import small_experiment
from tests.vocabularies.conftest import piece_choice
from tokenizers import Tokenizer
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, PreTrainedTokenizerFast, pipeline

from specialize.bases.architectures import known_architectures
from specialize.bases.folder import check_base_model
from specialize.files import read_json, write_json
from specialize.pretraining.pretrain import adapt
from specialize.reports.export import export_model
from specialize.training.devices import seed_everything
from specialize.vocabularies import (
    BytePieceTraining,
    PieceTraining,
    build_vocabulary,
    count_words,
    known_kinds,
    settle_base,
    special_ids,
)

POSITIONS = 64
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
FAMILIES = [  # architecture, kind of vocabulary
    ("bert", "WordPiece"),
    ("roberta", "byte-level BPE"),
    ("xlm-roberta", "Unigram"),
    ("modernbert", "SentencePiece BPE"),
    ("modernbert", "byte-level BPE"),
    ("deberta-v2", "WordPiece"),
    ("deberta-v2", "Unigram"),
]
KINDS = {kind.name: kind for kind in known_kinds()}
NEW = ["ქარი", "ქალაქი", "ქარმა", "ქალი"]  # letters that no base has
MARKS = [".", ",", " ", "  ", "é", "e\u0301", "漢字", "\u200b", "ﬁ", "😀", "x9:30", "É-à", "Š"]


def own_tokenizer(name, text):
    """A base's, learned of a text without the language's letters."""
    words = count_words([text]).words
    if name == "WordPiece":
        return small_tokenizer()
    if name == "byte-level BPE":
        return KINDS[name].learn(words, BytePieceTraining(size=330, min_frequency=1))
    return KINDS[name].learn(words, PieceTraining(size=420, min_frequency=1, limit_alphabet=100))


def write_base_model(folder, architecture, name, text):
    tokenizer = own_tokenizer(name, text)
    seed_everything(1, 1, 1, threads=1)
    known = known_architectures()[architecture]
    pieces, special = 1 + max(tokenizer.get_vocab().values()), special_ids(tokenizer)
    unread = POSITIONS - known.positions({"max_position_embeddings": POSITIONS, "pad_token_id": special["pad"]})
    sizes = SIZES | {"max_position_embeddings": POSITIONS + unread}
    known.new_masked_lm(sizes, pieces, special, segments=1).save_pretrained(folder)
    KINDS[name].save(tokenizer, folder)
    write_json(folder / "tokenizer_config.json", read_json(folder / "tokenizer_config.json") | {"padding_side": "left"})
    settle_base(folder, "NFC", POSITIONS)
    check_base_model(folder)


@pytest.fixture(scope="module", params=FAMILIES, ids=[" × ".join(family) for family in FAMILIES])
def family(request, tmp_path_factory):
    """The exported folder of a model with new pieces, and what its training read."""
    architecture, name = request.param
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("run")
    (run / "corpus").mkdir()
    corpus = write_corpus(run / "corpus")
    write_base_model(run / "base", architecture, name, corpus / "train.txt")
    text = "\n".join(" ".join(NEW) for _ in range(9)) + "\n\n" + (corpus / "train.txt").read_text(encoding="utf-8")
    (corpus / "train.txt").write_text(text, encoding="utf-8")
    vocabulary = run / "results/vocabularies/ug/tva"
    build_vocabulary(run / "base", corpus / "train.txt", 12, piece_choice(500), {}, vocabulary)
    settings = small_settings(epochs=1, steps_per_epoch=1, copies=1, batch_size=2)
    adapt(run / "base", vocabulary, corpus, 5.0, settings, DESCRIPTION, run / "results/pretraining/ug/tva")
    experiment = small_experiment(languages=["ug"], representations=["tva"], regimes=["pos"], seeds=[1])
    for cell in experiment.cells:
        (run / cell.metrics).parent.mkdir(parents=True)
        write_json(
            run / cell.metrics,
            {"converged": True, "scores": {part: {"pos": {"accuracy": 0.5}} for part in ("dev", "test")}},
        )
    export_model(experiment, run, "ug", "tva", run / "export")
    trained = Tokenizer.from_file(str(vocabulary / "tokenizer.json"))
    return run / "export", trained, list(read_json(vocabulary / "statistics.json")["pieces"])


def sentences(number=300):
    generator = random.Random(3)
    words = [*NEW, *MARKS, "ქარისა"]
    for _ in range(number):
        some = ["".join(generator.choices(SYLLABLES, k=generator.randint(1, 3))) for _ in range(3)]
        some += generator.choices(words, k=3)
        generator.shuffle(some)
        yield generator.choice([" ", " ", " ", "", "  "]).join(some)


def test_text_is_cut_as_in_training(family):
    folder, trained, pieces = family
    theirs, special = AutoTokenizer.from_pretrained(folder), special_ids(trained)
    assert isinstance(theirs, PreTrainedTokenizerFast)
    assert theirs.get_vocab() == trained.get_vocab()
    lines = list(sentences())
    cut = [encoding.ids for encoding in trained.encode_batch(lines, add_special_tokens=False)]
    assert theirs(lines).input_ids == [[special["start"], *ids, special["end"]] for ids in cut]
    assert {number for ids in cut for number in ids} & {theirs.get_vocab()[piece] for piece in pieces}
    again = folder.parent / "again"
    theirs.save_pretrained(again)
    assert AutoTokenizer.from_pretrained(again)(lines).input_ids == theirs(lines).input_ids, "saved by the library"


def test_special_tokens_pairs_and_lengths_are_those_of_the_base(family):
    folder, trained, _ = family
    theirs, base = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(folder.parent / "base")
    special = special_ids(trained)
    ids = (theirs.cls_token_id, theirs.sep_token_id, theirs.pad_token_id, theirs.mask_token_id)
    assert ids == tuple(special[role] for role in ("start", "end", "pad", "mask"))
    assert (theirs.padding_side, theirs.model_max_length) == ("left", POSITIONS) == (base.padding_side, POSITIONS)
    mask = theirs.mask_token
    for line in (f"bad {mask} gem", f"bad{mask}gem", f"  {mask}  bad", mask):  # no new piece, so as the base
        assert theirs(line).input_ids == base(line).input_ids
        assert theirs(line).input_ids.count(special["mask"]) == 1
    assert dict(theirs("bad gem", "dub me")) == dict(base("bad gem", "dub me"))
    pair, single = theirs("bad ქარი", "gem").input_ids, theirs("bad ქარი").input_ids
    assert pair[: len(single)] == single
    assert pair[-1] == special["end"]
    assert theirs.decode(theirs("lami ქარი").input_ids, skip_special_tokens=True).strip() == "lami ქარი"
    padded = theirs(["lami", "lami noke tu"], padding=True)
    assert padded.input_ids[0][0] == special["pad"]
    assert padded.attention_mask[0][0] == 0
    assert len(theirs("lami " * 200, truncation=True).input_ids) == POSITIONS


def test_the_models_load_and_fill_masks(family):
    folder, trained, _ = family
    masked_lm, found = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not found["missing_keys"] and not found["unexpected_keys"] and not found["mismatched_keys"]
    rows = 1 + max(trained.get_vocab().values())
    assert masked_lm.get_input_embeddings().weight.shape[0] == masked_lm.config.vocab_size == rows
    assert masked_lm.get_output_embeddings().weight.shape[0] == rows
    fill = pipeline("fill-mask", model=str(folder), device="cpu")
    filled = fill(f"lami {fill.tokenizer.mask_token} noke.", top_k=3)
    assert len(filled) == 3
    assert all(guess["token"] in trained.get_vocab().values() for guess in filled)


def test_sentence_transformers_takes_the_folder(family):
    """It means the pieces' vectors, whatever else stands in the batch, and cuts off what is too long."""
    from sentence_transformers import SentenceTransformer

    folder, _, _ = family
    encoder = SentenceTransformer(str(folder), device="cpu")
    encoder.tokenizer.padding_side = "right"  # places count from the left in some families
    lines = ["lami ქარი noke.", "tu", "lami noke " * 100]
    together = encoder.encode(lines, convert_to_tensor=True)
    assert together.shape == (3, SIZES["hidden_size"])
    assert together.isfinite().all()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for line, vector in zip(lines, together, strict=True):
        features = tokenizer(line, truncation=True, max_length=encoder.max_seq_length, return_tensors="pt")
        with torch.no_grad():
            alone = model(**features).last_hidden_state[0].mean(0)
        torch.testing.assert_close(vector, alone, rtol=1e-4, atol=1e-5)


def test_what_is_documented_to_load_is_what_is_tested():
    text = (ROOT / "docs/use.md").read_text(encoding="utf-8")
    for name in ("AutoTokenizer", "AutoModelForMaskedLM", "AutoModel", "fill-mask", "sentence-transformers"):
        assert name in text
