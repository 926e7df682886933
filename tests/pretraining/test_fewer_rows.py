"""Models of every family that lose the rows of pieces: what they compute of the others stays."""

from collections import Counter

import pytest
import torch
from tests.pretraining.conftest import ARCHITECTURE, DESCRIPTION, LETTERS, small_tokenizer

from specialize.bases.architectures import architecture_of, known_architectures
from specialize.bases.folder import check_base_model
from specialize.errors import InputError, SpecializeError
from specialize.files import read_json, write_json
from specialize.pretraining.fewer_rows import keep_rows, trim_model
from specialize.training.devices import seed_everything
from specialize.vocabularies import bert_tokenizer, in_order, load_base, save_tokenizer, special_ids, trimmed

WORDS = Counter({"lami": 3, "noke": 2, "ra.": 1})
# Special tokens after some pieces, so that their ids change.
PIECES = [
    "[PAD]",
    "qw",
    "##zq",
    "zw",
    *LETTERS,
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ".",
    *(f"##{letter}" for letter in LETTERS),
]


@pytest.fixture(params=[(name, tied) for name in sorted(known_architectures()) for tied in (True, False)], ids=str)
def folders(request, tmp_path):
    """The folders of a model and of a vocabulary of some of its pieces."""
    name, tied = request.param
    architecture = known_architectures()[name]
    tokenizer = bert_tokenizer({piece: number for number, piece in enumerate(PIECES)})
    seed_everything(1, 1, 1, threads=1)
    sizes = ARCHITECTURE | {"tie_word_embeddings": tied}
    model = architecture.new_masked_lm(sizes, 2 + tokenizer.get_vocab_size(), special_ids(tokenizer))
    architecture.join_biases(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.1)
    architecture.part_biases(model)
    base, vocabulary = tmp_path / "base", tmp_path / "vocabulary"
    model.save_pretrained(base)
    save_tokenizer(tokenizer, base)
    vocabulary.mkdir()
    save_tokenizer(trimmed(load_base(base), {"text": WORDS}), vocabulary)
    return base, vocabulary


def test_what_a_model_computes_of_the_pieces_that_stay_stays(folders, tmp_path):
    base, vocabulary = folders
    history = {"converged": True, "best_epoch": 1, "text": {"sentences": 1, "tokens": 2}}
    history |= {"hyperparameters": dict.fromkeys(["batch_size", "sequence_length", "learning_rate", "seed"], 1)}
    history |= {"precision": "float32", "device": "cpu"}
    losses = {"validation_loss": 1.0, "steps": 1}
    write_json(base / "history.json", history | {"epochs": [{"epoch": 0, **losses}, {"epoch": 1, **losses}]})
    trim_model(base, vocabulary, DESCRIPTION, tmp_path / "made")
    check_base_model(tmp_path / "made")
    kept, numbers = in_order(load_base(vocabulary)), load_base(base).get_vocab()
    assert in_order(load_base(tmp_path / "made")) == kept
    assert read_json(tmp_path / "made/history.json")["trimmed"] == {"pieces": len(kept), "of": len(numbers) + 2}
    assert f"Of its {len(numbers) + 2} wordpieces {len(kept)} are left" in (tmp_path / "made/README.md").read_text()
    rows = torch.tensor([numbers[piece] for piece in kept])
    assert len(kept) < len(numbers) and not torch.equal(rows, torch.arange(len(kept)))
    architecture = architecture_of(base)
    (old, _), (new, _) = (architecture.masked_lm(folder) for folder in (base, tmp_path / "made"))
    assert new.config.vocab_size == len(kept)
    assert len(architecture.matrices(new)) == len(architecture.matrices(old))
    for key, value in old.config.to_dict().items():
        if key.endswith("_token_id") and value in rows.tolist():
            assert kept[new.config.to_dict()[key]] == in_order(load_base(base))[value]
    ids = torch.tensor([load_base(tmp_path / "made").encode("lami noke", "ra.").ids] * 2)
    ids[1, 3:] = new.config.pad_token_id
    mask = (ids != new.config.pad_token_id).long()
    with torch.no_grad():
        before = old.eval()(rows[ids], attention_mask=mask, output_hidden_states=True)
        after = new.eval()(ids, attention_mask=mask, output_hidden_states=True)
    for one, other in zip(before.hidden_states, after.hidden_states, strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(before.logits[..., rows], after.logits)


def test_a_base_model_has_no_training_to_tell_of(folders, tmp_path):
    base, vocabulary = folders
    description = DESCRIPTION.__class__(**{**vars(DESCRIPTION), "method": "base"})
    trim_model(base, vocabulary, description, tmp_path / "made")
    card = (tmp_path / "made/README.md").read_text()
    assert "A masked language model: `demo` as it is." in card and "## Training" not in card
    assert read_json(tmp_path / "made/history.json").keys() == {"converged", "trimmed"}


def test_a_vocabulary_of_another_model_is_refused(folders, tmp_path):
    base, _ = folders
    (tmp_path / "other").mkdir()
    save_tokenizer(bert_tokenizer({piece: number for number, piece in enumerate([*PIECES, "zzz"])}), tmp_path / "other")
    with pytest.raises(InputError, match=r"has 1 pieces that \S+ lacks \(zzz\); make both anew from one model"):
        trim_model(base, tmp_path / "other", DESCRIPTION, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_positions_that_would_move_with_the_padding_are_refused():
    tokenizer = small_tokenizer()
    sizes = ARCHITECTURE | {"max_position_embeddings": 120}
    model = known_architectures()["roberta"].new_masked_lm(sizes, 60, special_ids(tokenizer) | {"pad": 40})
    with pytest.raises(SpecializeError, match="counts its positions from the padding's id, which would become 1"):
        keep_rows(model, [3, 40, 5], 1)
