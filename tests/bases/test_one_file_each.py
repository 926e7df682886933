"""A further base model costs one file for its architecture and one for its kind of vocabulary: XLM-R, as an example."""

import sys
from importlib import import_module

import pytest
import torch
from tests.pretraining.conftest import ARCHITECTURE, DESCRIPTION, small_settings, write_corpus
from tests.vocabularies.conftest import piece_choice

from specialize.bases.architectures import architecture_of, known_architectures
from specialize.bases.folder import check_base_model, model_files
from specialize.files import read_json
from specialize.finetuning.encoder import WordEncoder, WordPieces
from specialize.finetuning.layout import EncodedSentences
from specialize.pretraining.pretrain import adapt
from specialize.training.devices import seed_everything
from specialize.vocabularies import PieceTraining, build_vocabulary, count_words, kind_of, known_kinds

WORD_LEVEL = '''
"""Whole words, unknown where they are new."""
import json
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from specialize.vocabularies.kinds.choosing import candidates
from specialize.vocabularies.kinds.kind import Growth, Kind, repeated, special_ids

class WordLevel(Kind):
    name = "WordLevel"
    key = "word-level"
    files = ("tokenizer.json", "tokenizer_config.json")
    inputs = ("input_ids", "attention_mask")

    def is_of(self, tokenizer):
        return isinstance(tokenizer.model, models.WordLevel)

    def unknown(self, tokenizer):
        return tokenizer.model.unk_token

    def set_leading_space(self, tokenizer, leading_space):
        pass

    def continuations(self, tokenizer, segmented):
        return [0 for pieces in segmented]

    def missing_letters(self, tokenizer, letters):
        known = set("".join(tokenizer.get_vocab()))
        return [letter for letter in letters if letter not in known]

    def learn(self, words, training, normalizer=None, base=None):
        tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        trainer = trainers.WordLevelTrainer(
            vocab_size=training.size, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False,
        )
        tokenizer.train_from_iterator(repeated(words, {}), trainer)
        special = special_ids(tokenizer)
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", special["end"]), ("<s>", special["start"]))
        return tokenizer

    def grow(self, base, words, number, choice, elsewhere):
        pieces = candidates(self, words, base, self.learn(words, choice, base.normalizer, base))[:number]
        definition = json.loads(base.to_str())
        vocabulary = definition["model"]["vocab"]
        vocabulary.update({piece: id for id, piece in enumerate(pieces, len(vocabulary))})
        return Growth(Tokenizer.from_str(json.dumps(definition)), pieces, [])

    def save(self, tokenizer, folder, settings=None):
        tokenizer.save(str(folder / "tokenizer.json"))
        self.save_settings(tokenizer, folder, settings)

    def settings(self, tokenizer):
        return {}

KIND = WordLevel()
'''

XLM_ROBERTA = '''
"""XLM-R's architecture: RoBERTa's."""
from specialize.bases.architectures.architecture import Classes
from specialize.bases.architectures.roberta import Roberta

class XlmRoberta(Roberta):
    name = "XLM-R"
    model_type = "xlm-roberta"
    adaptable = True

    def classes(self):
        from transformers.models.xlm_roberta.configuration_xlm_roberta import XLMRobertaConfig
        from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaForMaskedLM, XLMRobertaModel
        return Classes(XLMRobertaConfig, XLMRobertaModel, XLMRobertaForMaskedLM)

ARCHITECTURE = XlmRoberta()
'''


@pytest.fixture
def two_files_more(tmp_path, monkeypatch):
    """Both packages with a module more, until the test ends."""
    planted = {
        "specialize.vocabularies.kinds": ("word_level", WORD_LEVEL),
        "specialize.bases.architectures": ("xlmr", XLM_ROBERTA),
    }
    for package, (name, source) in planted.items():
        folder = tmp_path / package
        folder.mkdir()
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        module = import_module(package)
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])
    known_kinds.cache_clear(), known_architectures.cache_clear()
    yield
    known_kinds.cache_clear(), known_architectures.cache_clear()
    for package, (name, _) in planted.items():
        sys.modules.pop(f"{package}.{name}", None)
        vars(sys.modules[package]).pop(name, None)


@pytest.mark.usefixtures("two_files_more")
def test_xlm_r_is_adapted_and_gives_word_vectors(tmp_path):
    torch.set_num_threads(1)
    (tmp_path / "corpus").mkdir()
    corpus = write_corpus(tmp_path / "corpus")
    text = corpus / "train.txt"

    base = tmp_path / "base"
    kind = next(kind for kind in known_kinds() if kind.name == "WordLevel")
    training = PieceTraining(size=40, min_frequency=1, limit_alphabet=1000)
    tokenizer = kind.learn(count_words([text]).words, training)
    assert kind_of(tokenizer) is kind
    seed_everything(1, 1, 1, threads=1)
    xlm_r = known_architectures()["xlm-roberta"]
    made = xlm_r.new_masked_lm(ARCHITECTURE, tokenizer.get_vocab_size(), kind.special_ids(tokenizer), segments=1)
    made.save_pretrained(base)
    kind.save(tokenizer, base)
    check_base_model(base)
    assert architecture_of(base) is xlm_r
    assert set(kind.files) < set(model_files())

    foreign = "ქარი lami\n" * 9 + text.read_text(encoding="utf-8")
    text.write_text(foreign, encoding="utf-8")
    build_vocabulary(base, text, None, piece_choice(60), {}, tmp_path / "vocabulary")
    statistics = read_json(tmp_path / "vocabulary" / "statistics.json")
    assert "ქ" in "".join(statistics["pieces"])
    assert set("ქარი") <= statistics["coverage"]["corpus"]["missing_letters"].keys()
    rates = [statistics["coverage"]["corpus"][name]["unknown_token_rate"] for name in ("augmented", "base")]
    assert 0 <= rates[0] < rates[1]

    settings = small_settings(epochs=1, sequence_length=ARCHITECTURE["max_position_embeddings"] - 2)
    adapt(base, tmp_path / "vocabulary", corpus, 5.0, settings, DESCRIPTION, tmp_path / "model")
    history = read_json(tmp_path / "model" / "history.json")
    assert history["converged"] and history["hyperparameters"]["new_pieces"] == len(statistics["pieces"])

    pieces = WordPieces(tmp_path / "model")
    encoder = WordEncoder(tmp_path / "model", layer_dropout=0.0, dropout_when_evaluating=False).eval()
    assert encoder.longest == ARCHITECTURE["max_position_embeddings"] - 2
    assert any("LayerNorm" in name for name in encoder.undecayed)
    batch = pieces.collate(EncodedSentences.of([pieces.encode(["lami", "tuke"])]), encoder.longest)
    assert encoder(batch).shape == (1, 2, ARCHITECTURE["hidden_size"])
    encoder.save(tmp_path / "saved", tmp_path / "model")
    assert {path.name for path in (tmp_path / "saved").iterdir()} >= set(kind.files)
