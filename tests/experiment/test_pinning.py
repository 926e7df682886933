"""Commits of base models are written in place of `main` into a configuration file, by a hub that is played here."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import constants
from tests.conftest import ROOT

from specialize.errors import ConfigError, DownloadError
from specialize.experiment import Experiment
from specialize.experiment.plan import pin_revisions

COMMITS = {("FacebookAI/xlm-roberta-base", "main"): "1" * 40, ("some/model", "v2.0"): "0e" + "3" * 38}
MODELS = re.findall("hub: (.*)", (ROOT / "config/bases.yaml").read_text(encoding="utf-8"))
COMMITS = {(name, "main"): "a" * 40 for name in MODELS} | COMMITS
OWN = """\
# mine
base_models:
  x:   {hub: 'FacebookAI/xlm-roberta-base', revision: main}   # the usual one
  y:
    revision: "v2.0"
    hub: some/model
  z: {hub: a/b, revision: COMMIT}
"""


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does when it is asked for a model's revision."""

    def do_GET(self):
        parts = self.path.partition("?")[0].removeprefix("/api/models/").split("/revision/")
        commit = COMMITS.get(tuple(parts))
        body = json.dumps({"id": parts[0], "sha": commit, "siblings": []} if commit else {"error": "not found"})
        self.send_response(200 if commit else 404)
        if not commit:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{running.server_port}")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        yield
        running.shutdown()


def written(tmp_path, text=OWN):
    path = tmp_path / "own.yaml"
    path.write_bytes(text.replace("COMMIT", "a" * 40).encode())
    return path


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_commits_take_the_place_of_names_and_nothing_else_changes(tmp_path, hub, ends):
    path = written(tmp_path, OWN.replace("\n", ends))
    pinned = [(one.name, one.revision, commit) for one, commit in pin_revisions(path)]
    first, second = COMMITS["FacebookAI/xlm-roberta-base", "main"], COMMITS["some/model", "v2.0"]
    assert pinned == [("x", "main", first), ("y", "v2.0", second)]
    expected = OWN.replace("COMMIT", "a" * 40).replace("revision: main", f'revision: "{first}"')
    assert path.read_bytes().decode() == expected.replace('"v2.0"', f'"{second}"').replace("\n", ends)
    assert pin_revisions(path) == []
    assert [file.name for file in tmp_path.iterdir()] == ["own.yaml"]


def test_of_several_that_cannot_all_be_learned_none_is_written(tmp_path, hub):
    path = written(tmp_path, OWN.replace("some/model", "no/model"))
    before = path.read_bytes()
    with pytest.raises(DownloadError, match=r"own\.yaml, line 5: base_models\.y: model no/model, revision v2\.0: Repo"):
        pin_revisions(path)
    assert path.read_bytes() == before


def test_without_a_network_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"line 3: .*HF_HUB_OFFLINE is set.*Files and versions, History"):
        pin_revisions(written(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base_models:\n  x:\n    revision: main\n", "line 3: name the model on the hub beside this revision"),
        (
            "base_models:\n  x: {hub: a/b, revision: &r main}\n  y: {hub: c/d, revision: *r}\n",
            "line 2: this revision is",
        ),
    ],
)
def test_a_revision_that_is_of_no_model_or_of_several_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        pin_revisions(written(tmp_path, text))


def test_what_is_not_pinned_is_refused_where_the_grid_uses_it_and_only_there(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("experiment: {languages: [wo], representations: [mbert, mbert-tva], regimes: [pos]}\n")
    bases = ROOT / "config/bases.yaml"
    experiment = Experiment.read([bases, path])
    assert experiment.base_models_used == ("mbert",)
    path.write_text("experiment: {languages: [wo], representations: [mbert, xlm-r], regimes: [pos]}\n")
    line = 1 + bases.read_text().partition("xlm-roberta-base\n")[0].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        Experiment.read([bases, path])
    said = str(caught.value)
    assert said.startswith(f"base_models.xlm-r.revision ({bases}, line {line}): main stands for another model")
    assert "`.venv/bin/python -m specialize pin FILE`" in said


def test_every_base_of_the_overlay_has_its_representations_and_three_other_languages_remain():
    text = (ROOT / "config/bases.yaml").read_text(encoding="utf-8")
    assert "revision: main" in text, "commits are the user's"
    experiment = Experiment.read([ROOT / "config/bases.yaml"], {"experiment": {"representations": ["mbert"]}})
    for base in experiment.config["base_models"]:
        names = [base] if base == "mdeberta" else [base, f"{base}-lapt", f"{base}-tva"]
        assert [experiment.representations[name].base_model for name in names] == [base] * len(names)
    assert "mdeberta-lapt" not in experiment.representations, "which cannot be pretrained further"
    for language in experiment.languages:
        assert len(experiment.other_languages(language, "xlm-r-tva")) >= 3
