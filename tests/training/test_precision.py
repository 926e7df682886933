"""How exact matrix products are: what a setting means on a device, that it is done, and what stays in float32.

There is no GPU here: what torch would say of one is put in its place.
"""

import pytest
import torch
from tests.finetuning.conftest import finetuned, write_data, write_encoder
from tests.pretraining.conftest import DESCRIPTION, small_settings, write_base, write_corpus, write_vocabulary
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from specialize.files import read_json
from specialize.finetuning.model import load_model
from specialize.pretraining.pretrain import adapt
from specialize.training.checkpoint import Checkpoint
from specialize.training.precision import resolved, use_precision, where_and_how

GPUS = {"cpu": None, "Volta": False, "Hopper": True}  # whether it has bfloat16 and TF32
MEANING = {
    "auto": ["float32", "float32", "bfloat16"],
    "float32": ["float32", "float32", "float32"],
    "tf32": ["float32", "float32", "tf32"],
    "bfloat16": ["bfloat16", "bfloat16", "bfloat16"],
}


@pytest.fixture
def put_in(monkeypatch):
    """Have this machine look as if it had a GPU; the flags of torch are put back."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    def put(gpu):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: GPUS[gpu] is not None)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: gpu)
        monkeypatch.setattr(torch.cuda, "is_tf32_supported", lambda: bool(GPUS[gpu]))
        # Volta computes bfloat16 by emulation, which is not to be taken.
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or bool(GPUS[gpu])
        )

    yield put
    torch.backends.cuda.enable_cudnn_sdp(True)
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize("setting", MEANING)
def test_what_a_setting_means_on_a_device(put_in, setting):
    for gpu, expected in zip(GPUS, MEANING[setting], strict=True):
        put_in(gpu)
        assert resolved(setting) == use_precision(setting) == expected
        assert where_and_how(expected) == {"device": gpu, "precision": expected}


@pytest.mark.parametrize("setting", MEANING)
def test_products_of_float32_matrices_are_tf32_only_if_asked_for(put_in, setting):
    put_in("Hopper")
    for before in ("tf32", setting):
        use_precision(before)
    expected = setting == "tf32"
    assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == expected
    assert (torch.backends.cuda.matmul.fp32_precision == "tf32") == expected


@pytest.mark.parametrize("setting", MEANING)
def test_no_attention_makes_a_plan_for_each_shape_of_a_batch(put_in, setting):
    put_in("Hopper")
    use_precision(setting)
    assert not torch.backends.cuda.cudnn_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.mem_efficient_sdp_enabled()


def flags():
    return (
        torch.get_float32_matmul_precision(),
        torch.backends.mkldnn.matmul.fp32_precision,
        torch.backends.cuda.cudnn_sdp_enabled(),
    )


def test_on_a_cpu_no_flag_is_touched():
    before = flags()
    for setting in MEANING:
        use_precision(setting)
    assert flags() == before


# -- jobs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pretraining_inputs(tmp_path_factory):
    folders = [tmp_path_factory.mktemp(name) for name in ("base", "vocabularies", "corpus")]
    return write_base(folders[0]), write_vocabulary(folders[1] / "tva", ["ქა", "##რი"]), write_corpus(folders[2])


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("timing.json", "README.md")
    }


@pytest.mark.skipif(torch.cuda.is_available(), reason="auto is another precision here")
def test_auto_gives_the_bytes_of_float32_on_a_cpu(tmp_path, pretraining_inputs, encoder_folder, data):
    found = {}
    for setting in ("float32", "auto"):
        model, job = tmp_path / f"{setting}-model", tmp_path / setting
        adapt(*pretraining_inputs, 5.0, small_settings(epochs=1, precision=setting), DESCRIPTION, model)
        finetuned(job, encoder_folder, data, "pos", keep_model=True, precision=setting, epochs=1)
        for path in (job / "timing.json", model / "history.json"):
            record = read_json(path)
            assert (record["device"], record["precision"]) == ("cpu", "float32")
        assert "| float32, on a CPU |" in (model / "README.md").read_text(encoding="utf-8")
        assert read_json(job / "metrics.json")["hyperparameters"]["precision"] == setting
        both = files_of(model) | files_of(job)
        found[setting] = {name: content.replace(b'"auto"', b'"float32"') for name, content in both.items()}
    assert found["auto"] == found["float32"]


class Types(TorchDispatchMode):
    """Notes the types of the tensors that each operation takes."""

    def __init__(self):
        super().__init__()
        self.of = {}

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        for one in tree_leaves(arguments):
            if isinstance(one, torch.Tensor):
                self.of.setdefault(function.overloadpacket.__name__, set()).add(one.dtype)
        return function(*arguments, **(keywords or {}))


FLOAT32 = ("nll_loss_forward", "_log_softmax", "_log_softmax_backward_data", "logsumexp", "_fused_adamw_")


@pytest.mark.parametrize("kind", ["pretraining", "finetuning"])
def test_in_bfloat16_losses_and_updates_are_computed_in_float32(
    tmp_path, pretraining_inputs, encoder_folder, data, kind
):
    with Types() as types:
        if kind == "pretraining":
            settings = small_settings(epochs=1, steps_per_epoch=2, precision="bfloat16")
            adapt(*pretraining_inputs, 5.0, settings, DESCRIPTION, tmp_path / "model")
        else:
            once = {"epochs": 1, "frozen_epochs": 0, "batch_size": 24}
            finetuned(tmp_path / "job", encoder_folder, data, "mtl-int", precision="bfloat16", **once)
    assert torch.bfloat16 in types.of["addmm"], "products are in bfloat16"
    seen = [name for name in FLOAT32 if name in types.of]
    assert len(seen) >= 4
    for name in seen:
        assert torch.bfloat16 not in types.of[name], name


def test_a_model_is_kept_with_its_setting_and_decodes_by_what_that_means_here(tmp_path, encoder_folder, data, put_in):
    job = finetuned(tmp_path / "job", encoder_folder, data, "pos", keep_model=True, precision="auto", epochs=1)
    assert read_json(job / "model/task.json")["precision"] == "auto"
    assert load_model(job).encoder.precision == resolved("auto")
    for model in (job, job / "model"):
        loaded = load_model(model, precision="bfloat16")
        assert (loaded.encoder.precision, loaded.encoder.description) == ("bfloat16", {"precision": "bfloat16"})


def test_what_is_trained_further_is_so_in_the_precision_of_its_own_setting(tmp_path, encoder_folder, data):
    start = finetuned(tmp_path / "mtl", encoder_folder, data, "mtl-ups", keep_model=True, epochs=1)
    further = finetuned(
        tmp_path / "pft", start / "model", data, "pft-mtl-ups-pos", keep_model=True, precision="bfloat16", epochs=1
    )
    assert read_json(further / "timing.json")["precision"] == "bfloat16"
    assert read_json(further / "model/task.json")["precision"] == "bfloat16"


# -- checkpoints -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("bfloat16", "float32", "the checkpoint was saved in bfloat16, this machine goes on in float32\n"),
        ("float32", "bfloat16", "the checkpoint was saved in float32, this machine goes on in bfloat16\n"),
        ("tf32", "tf32", ""),
    ],
)
def test_a_checkpoint_of_another_precision_is_taken_up_with_a_word(tmp_path, capsys, before, now, said):
    with pytest.raises(RuntimeError), Checkpoint(tmp_path / "c", 1, {"precision": "auto"}, [], before) as checkpoint:
        checkpoint.save({"weight": torch.ones(2)})
        raise RuntimeError
    with Checkpoint(tmp_path / "c", 1, {"precision": "auto"}, [], now) as checkpoint:
        state = checkpoint.load()
    assert state.keys() == {"weight"}
    assert torch.equal(state["weight"], torch.ones(2))
    assert capsys.readouterr().out == said
