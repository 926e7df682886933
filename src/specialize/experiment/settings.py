"""The configuration as a whole: which sections there are, the registries, and the grid."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from specialize.corpora.settings import CorporaSettings, CorpusEntry
from specialize.datasets.settings import EntitiesEntry, TransliterationEntry, TreebankEntry
from specialize.finetuning.settings import (
    EntityTaggerSettings,
    FinetuningOptions,
    ParserSettings,
    TaggerSettings,
    TaskEncoderSettings,
)
from specialize.pretraining.settings import AdaptSettings, PretrainingOptions, VectorSettings
from specialize.settings import LICENSE, PATH, Number, Settings, named, overrides, setting
from specialize.tables.settings import TablesSettings
from specialize.vocabularies.settings import BytePieceTraining, VocabulariesSection

FOLDER_NAME = "^(?!base$)[A-Za-z0-9][A-Za-z0-9._-]*$"
TAG = "^(?!base$)[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"  # BCP 47

Seeds = Annotated[
    list[Annotated[int, Field(ge=1)]],
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}, "uniqueItems": True}),
]
Names = Annotated[
    list[str], WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True})
]


class GridException(Settings):
    """Cells that match all of its lists run its seeds instead."""

    languages: list[str] = setting("that match; all if not given", default=[])
    representations: list[str] = setting("that match; all if not given", default=[])
    regimes: list[str] = setting("that match; all if not given", default=[])
    seeds: Seeds = setting("in place of the grid's; an empty list leaves the cells out")


class GridSettings(Settings):
    """The section `experiment`: the grid is the product of its lists, as far as a language has the labeled data."""

    languages: Names = setting("tags of the registry, or of their twins")
    representations: Names = setting("names of the registry")
    regimes: Names = setting("what a finetuned model learns")
    seeds: Seeds = setting("numbers of `finetuning.seeds`")
    exceptions: list[GridException] = setting("the last one that matches a cell wins", default=[])


class LanguageEntry(Settings):
    """One entry of the registry of languages, by BCP-47 tag."""

    name: str = setting("the language's name in tables")
    type: Literal[0, 1, 2] = setting(
        "2: unseen by the base model; 1: among its smallest; 0: better represented", source="paper, Table 1", default=0
    )
    script: str = setting("in tables; Latin is told from others", default="")
    family: str = setting("in tables", default="")
    tokens: int = setting("expected tokens of cleaned text, for the estimate of hours", default=1, ge=1)
    corpus: CorpusEntry = setting("its text", default=None)
    treebank: TreebankEntry = setting("its treebank", default=None)
    ner: EntitiesEntry = setting("its named entities", default=None)
    dictionary: str = setting(
        "a bilingual word list for `initialisation: dictionary`, in UTF-8: in each line a word, a tab, and a word of a "
        "language that the base model knows",
        default="",
        pattern=PATH,
    )
    transliteration: TransliterationEntry = setting("makes a twin in Latin letters, {tag}-Latn", default=None)


class Architecture(Settings):
    """Sizes of a model that is pretrained from scratch, as `transformers` names them."""

    hidden_size: int = setting("width of the vectors", ge=1)
    num_hidden_layers: int = setting("layers", ge=1)
    num_attention_heads: int = setting("heads of each layer's attention; they divide the width", ge=1)
    intermediate_size: int = setting("width within each layer", ge=1)
    max_position_embeddings: int = setting("positions; a RoBERTa reads two fewer", default=512, ge=1)


class MadeAs(Settings):
    """What a base model that the run pretrains is made as, besides its sizes."""

    model_type: Literal["bert", "roberta", "xlm-roberta", "modernbert"] = setting(
        "its architecture", neutral="bert", default="bert"
    )
    vocabulary: Literal["wordpiece", "unigram", "bpe", "byte-level"] = setting(
        "the kind of the vocabulary that it learns", neutral="wordpiece", default="wordpiece"
    )
    tokenizer: str = setting(
        "a folder with tokenizer.json, which it takes in place of learning a vocabulary", default="", pattern=PATH
    )


class PretrainedHere(MadeAs):
    """A base model's `pretrain`: a small model, a BERT by default, pretrained from scratch by the run."""

    languages: list[str] = setting("whose texts it learns from", min_length=1)
    vocabulary_size: int = setting("learned pieces, special tokens included; not with tokenizer", default=None, ge=200)
    unused_slots: int = setting(
        "free slots in its vocabulary, as mBERT has 99; of WordPiece only", source="fact 13", default=0, ge=0
    )
    architecture: Architecture = setting("its sizes")
    training: overrides(PretrainingOptions) = setting("overrides any key of `pretraining`")  # type: ignore[valid-type]


class ExpectedSizes(Settings):
    """A base model's `sizes`, as its config.json names them."""

    num_hidden_layers: int = setting("layers", default=12, ge=1)
    hidden_size: int = setting("width of the vectors", default=768, ge=1)
    intermediate_size: int = setting("width within each layer", default=3072, ge=1)
    vocab_size: int = setting("pieces", default=119547, ge=1)


class BaseModelEntry(Settings):
    """One entry of `base_models`, of one origin: hub (with revision), folder, mirror or pretrain."""

    hub: str = setting("its name on the Hugging Face hub", default="")
    revision: str = setting(
        "the commit there; for a branch or tag such as main `python -m specialize pin FILE` writes its commit",
        default="",
        pattern="^[A-Za-z0-9][A-Za-z0-9._/-]*$",
    )
    folder: str = setting("own model: config.json, tokenizer.json, model.safetensors", default="", pattern=PATH)
    mirror: Literal[True] = setting("it is models/{name}/ of the mirror", default=True)
    license: str = setting("for the card of what is made from it, as the hub names it", default="", pattern=LICENSE)
    sizes: ExpectedSizes = setting("for forecasts, until its config.json is here; mBERT's if not given", default=None)
    parameters: int = setting("not read: sizes come from config.json; older configurations have it", default=1, ge=1)
    pretrain: PretrainedHere = setting("a small model, pretrained by the run", default=None)


class TaskEncoders(Settings):
    """A representation's `task_encoders`: the BiLSTM between static vectors and each task's head."""

    pos: TaskEncoderSettings = setting("of taggers")
    ud: TaskEncoderSettings = setting("of parsers")
    ner: TaskEncoderSettings = setting("of entity taggers")


class BatchSizes(Settings):
    """One language's batch sizes, by task."""

    pos: int = setting("of taggers", source="fact 27", default=1, ge=1)
    ud: int = setting("of parsers", source="fact 27", default=1, ge=1)
    ner: int = setting("of entity taggers", source="fact 27", default=1, ge=1)
    mtl: int = setting("of models of several tasks", source="fact 27", default=1, ge=1)


class FinetuningOverridable(FinetuningOptions):
    """What a representation's `finetuning` may override."""

    pos: TaggerSettings = setting("the tagger")
    ner: EntityTaggerSettings = setting("the entity tagger")
    ud: ParserSettings = setting("the parser")


class FinetuningSection(FinetuningOverridable):
    """The section `finetuning`."""

    batch_size: int = setting("sentences in a batch, where `batch_sizes` has nothing", ge=1)
    batch_sizes: named(BatchSizes, "") = setting(  # type: ignore[valid-type]
        "by language and task; twins use their original's", source="fact 27", default={}
    )
    seeds: Annotated[
        dict[str, Any],
        WithJsonSchema(
            {
                "type": "object",
                "propertyNames": {"pattern": "^[1-9][0-9]*$"},
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 0, "maximum": 4294967295},
                    "minItems": 3,
                    "maxItems": 3,
                },
            }
        ),
    ] = setting("a seed's number and its seeds for numpy, torch and python", source="fact 26")


class RepresentationEntry(Settings):
    """One entry of `representations`: a way to represent words (paper §2.1)."""

    method: Literal["base", "adapt", "fasttext", "scratch", "trim"] = setting(
        "the base model as it is, pretrained further, static word vectors, a monolingual model, or the model of "
        "another representation without the wordpieces that the language does not need"
    )
    of: str = setting("of trim: the representation whose model it is", default="")
    base_model: str = setting("of base and adapt; by default the top level's", default="")
    pieces: Annotated[int, Field(ge=0)] | Literal["all"] = setting(
        "new wordpieces: they take the vocabulary's free slots, those beyond grow the matrix; or all of the new one",
        source="paper §2.1",
        default=0,
    )
    growth: Literal["augment", "replace"] = setting(
        "of adapt with pieces: augment as said there; replace: so many of the base's least used pieces give way to the "
        "new ones, and the matrix does not grow",
        neutral="augment",
        default="augment",
    )
    multiplier: Number = setting(
        "the new pieces' embeddings learn at so many times the rate (the paper's a)",
        source="paper §2.1",
        default=1,
        gt=0,
    )
    adapt: AdaptSettings = setting("of adapt: what learns in pretraining, if not everything", default=None)
    vocabulary: BytePieceTraining = setting("of scratch: its byte-level pieces", default=None)
    architecture: Architecture = setting("of scratch: its sizes", default=None)
    training: overrides(PretrainingOptions) = setting("overrides any key of `pretraining`", default={})  # type: ignore[valid-type]
    vectors: VectorSettings = setting("of fasttext: its skip-gram model", default=None)
    task_encoders: TaskEncoders = setting("of fasttext: the BiLSTM of each task", default=None)
    finetuning: overrides(FinetuningOverridable) = setting(  # type: ignore[valid-type]
        "overrides keys of `finetuning`", default={}
    )
    batch_size: int = setting("overrides `finetuning.batch_size`", default=1, ge=1)
    batch_sizes: named(BatchSizes, "") = setting("overrides `finetuning.batch_sizes`", default={})  # type: ignore[valid-type]


class CurveSettings(Settings):
    """The section `curve`: scores by the number of training sentences, which the target `curve` measures."""

    shares: Annotated[
        list[Annotated[int, Field(ge=2, le=1024)]],
        WithJsonSchema(
            {
                "type": "array",
                "items": {"type": "integer", "minimum": 2, "maximum": 1024},
                "minItems": 1,
                "uniqueItems": True,
            }
        ),
    ] = setting("one in how many training sentences each model learns from, besides those of the grid with all")


class Configuration(Settings):
    """A whole configuration."""

    mirror: str | None = setting("an absolute path or a URL that replaces every upstream host", default=None)
    allow_cpu: bool = setting(
        "train without a GPU although the estimate is above 48 hours, or although the job was given a GPU that its "
        "torch cannot use",
        default=False,
    )
    accept_rerun: bool = setting(
        "let this version make finished training again that another version has made",
        default=False,
    )
    jobs_per_gpu: int = setting("training jobs that share a GPU", default=1, ge=1)
    tensorboard: bool = setting("write each finetuning's figures for `tensorboard --logdir logs`", default=False)
    keep_models: bool = setting("keep each finetuned model, for `python -m specialize predict`", default=False)
    experiment: GridSettings = setting("which jobs there are")
    base_model: str = setting("of every representation that names none", default="")
    base_models: named(BaseModelEntry, FOLDER_NAME) = setting("by name")  # type: ignore[valid-type]
    representations: named(RepresentationEntry, FOLDER_NAME) = setting("by name")  # type: ignore[valid-type]
    languages: named(None, TAG) = setting("the registry, by BCP-47 tag")  # type: ignore[valid-type]
    corpora: CorporaSettings = setting("texts")
    vocabularies: VocabulariesSection = setting("the vocabulary that new pieces are chosen from")
    pretraining: PretrainingOptions = setting("masked-language-model training")
    finetuning: FinetuningSection = setting("training of taggers and parsers")
    tables: TablesSettings = setting("what tables print")
    curve: CurveSettings = setting("shares of the labeled data, for the target `curve`")
