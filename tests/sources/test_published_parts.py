"""Data sets that lack parts or have them in several files: asked of a server that plays GitHub, and of mirrors."""

import json
import re
import threading
import time
from http.server import ThreadingHTTPServer

import pytest
from tests.sources.test_sources import Handler, Server, refusing

from specialize import sources
from specialize.errors import DownloadError, InputError
from specialize.files import file_hash
from specialize.sources import (
    fetch_listed,
    fetch_parts,
    listed_parts,
    masakhaner_files,
    masakhapos_files,
    treebank_publication,
    universal_entities,
)
from specialize.sources.transfer import UnansweredError

REPOSITORY = "UniversalDependencies/UD_Aa-Bb"
TREE = f"/repos/{REPOSITORY}/git/trees/r2.17"
FILES = f"/{REPOSITORY}/r2.17"
IN_PIECES = ("train-b-2", "train-a-1", "test", "train-a-10", "dev")


@pytest.fixture
def github(monkeypatch):
    world = Server()
    handler = type("BoundHandler", (Handler,), {"world": world})
    monkeypatch.setattr("specialize.sources.transfer.ATTEMPTS", 2)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        world.url = f"http://127.0.0.1:{running.server_port}"
        monkeypatch.setattr("specialize.sources.published.GITHUB_FILES", world.url)
        monkeypatch.setattr("specialize.sources.published.GITHUB_API", world.url)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield world
        running.shutdown()
        thread.join()


def publish(github, *names, tree=TREE, folder=FILES):
    """Offer files, each with its name for content, among others that every repository has."""
    github.files |= {f"{folder}/{name}": name.encode() for name in names}
    blobs = [{"path": name, "type": "blob"} for name in ("README.md", *names, "stats.xml", "aa_bb-ud-test.txt")]
    folders = [{"path": "not-to-release", "type": "tree"}, {"path": "old-ud-train.conllu", "type": "tree"}]
    github.files[tree] = json.dumps({"tree": blobs + folders, "truncated": False}).encode()


def conllu(*parts):
    return [f"aa_bb-ud-{part}.conllu" for part in parts]


def listed(run, release="r2.17", sha256=None, mirror=None, all_parts=False):
    """Fetch the treebank into a run; the names by part, and the list."""
    publication = treebank_publication("UD_Aa-Bb", release, "aa_bb")
    path = run / publication.destination
    fetch_listed(publication, path, sha256 or {}, mirror, all_parts)
    return {part: [file.name for file in files] for part, files in listed_parts(path).items()}, path


@pytest.mark.parametrize(
    ("entry", "by_list"),
    [
        ({"name": "UD_A-B", "release": "r2.5", "prefix": "a_b"}, False),
        ({"name": "UD_A-B", "release": "r1.4", "prefix": "a_b"}, False),
        ({"name": "UD_A-B", "release": "r2", "prefix": "a_b"}, False),
        ({"name": "UD_A-B", "release": "r2.5", "prefix": "a_b", "folds": 10}, True),
        ({"name": "UD_A-B", "release": "r2.6", "prefix": "a_b"}, True),
        ({"name": "UD_A-B", "release": "r2.17", "prefix": "a_b"}, True),
        ({"name": "UD_A-B", "release": "master", "prefix": "a_b"}, True),
        ({"name": "UD_A-B", "release": "0" * 40, "prefix": "a_b"}, True),
        ({"name": "UD_A-B", "release": "master", "prefix": "a_b", "folder": "/own"}, False),
        ({"masakhapos": "wol", "folds": 10}, False),
        ({"folder": "/own", "folds": 10}, False),
    ],
)
def test_entries_whose_files_are_known_by_a_list(entry, by_list):
    assert sources.is_listed(entry) == by_list
    assert ("files" in sources.places_in_run(sources.treebank_origin(entry))) == by_list


def test_a_part_in_several_files_is_listed_in_order_and_fetched_once(github, tmp_path):
    publish(github, *conllu(*IN_PIECES))
    parts, path = listed(tmp_path, all_parts=True)
    assert list(parts) == ["train", "dev", "test"]
    assert parts["train"] == conllu("train-a-1", "train-a-10", "train-b-2")
    assert path.name == "aa_bb-ud-files.txt"
    assert path.read_text().splitlines()[0] == "\t".join(
        ["train", "aa_bb-ud-train-a-1.conllu", file_hash(path.with_name("aa_bb-ud-train-a-1.conllu"))]
    )
    assert sorted(file.name for file in path.parent.iterdir() if file.name[0] != ".") == sorted(
        [*conllu(*IN_PIECES), path.name, "sha256sums.txt"]
    )
    asked = len(github.requests)
    path.unlink()
    assert listed(tmp_path)[0] == parts
    assert [request[1] for request in github.requests[asked:]] == [TREE]
    mirror = str(tmp_path / "resources")  # what a run has fetched serves another one
    assert listed(tmp_path / "other", mirror=mirror)[0] == parts
    publication, size = treebank_publication("UD_Aa-Bb", "r2.17", "aa_bb"), sum(map(len, conllu(*IN_PIECES)))
    assert sources.upstream_bytes([publication], mirror) == (size, True)
    assert sources.upstream_bytes([universal_entities("UNER_Aa-Bb"), publication], mirror) == (size, False)


LACKING = {
    ("train", "test"): "no development part in r2.17, only a training and a test part; give its entry folds: 10",
    ("test",): "no training part and no development part in r2.17, only a test part; give its entry folds: 10",
}


@pytest.mark.parametrize(("there", "said"), LACKING.items(), ids=lambda value: str(value)[:20])
def test_what_lacks_a_part_is_refused_before_it_is_fetched_unless_folds_do_with_it(github, tmp_path, there, said):
    publish(github, *conllu(*there))
    with pytest.raises(DownloadError, match=f"^{REPOSITORY} has {said}"):
        listed(tmp_path, all_parts=True)
    assert [request[1] for request in github.requests] == [TREE]
    parts, path = listed(tmp_path)
    assert tuple(parts) == there
    with pytest.raises(DownloadError, match=r"aa_bb-ud-files.txt has no .* give its entry folds: 10"):
        listed_parts(path, all_parts=True)  # folds were there when it was fetched, and are taken out


@pytest.mark.parametrize("status", [403, 429, 503])
def test_without_githubs_listing_the_usual_names_are_tried_and_it_is_said(github, tmp_path, capsys, status):
    publish(github, *conllu("test", "train"))
    github.answers[TREE] = [refusing(status)]
    assert list(listed(tmp_path)[0]) == ["train", "test"]
    asked = [request[:2] for request in github.requests if request[1].startswith(FILES)]
    heads = [("HEAD", f"{FILES}/{name}") for name in conllu("train", "dev", "test")]
    assert asked == [*heads, *(("GET", f"{FILES}/{name}") for name in conllu("train", "test"))]
    said = capsys.readouterr().out
    assert f"Warning: {REPOSITORY}: GitHub's listing cannot be had" in said
    assert "A part in several files would be missed" in said


def test_a_host_that_refuses_the_usual_names_is_not_taken_to_lack_them(github, tmp_path):
    github.answers[TREE] = [refusing(403)]
    for status, said in ((403, "answers 403 Forbidden$"), (503, r"answers 503 .*\(gave up after 2 attempts\)")):
        github.answers[f"{FILES}/{conllu('train')[0]}"] = [refusing(status)]
        with pytest.raises(DownloadError, match=said):
            listed(tmp_path)


@pytest.mark.parametrize(
    "publication", [treebank_publication("UD_Aa-Bb", "r2.17", "aa_bb"), universal_entities("UNER_Aa-Bb")]
)
def test_without_network_the_remedy_is_a_mirror(github, tmp_path, monkeypatch, publication):
    monkeypatch.setattr("specialize.sources.published.GITHUB_API", "http://127.0.0.1:9")
    with pytest.raises(UnansweredError, match=r"no answer.*; is the network up, .* give a mirror: --config") as caught:
        fetch_listed(publication, tmp_path / "list.txt", {}, None, all_parts=False)
    assert "prefix" not in str(caught.value)
    assert not github.requests


def test_digests_are_those_of_an_entry_that_has_some():
    entries = [{}, {"wikiann": "aa"}, {"wikiann": "bb", "sha256": "0"}, {"wikiann": "aa", "sha256": "1"}]
    assert sources.pinned(entries, {"wikiann": "aa"}) == "1"
    assert sources.pinned(entries, {"wikiann": "cc"}) is None


def test_a_listing_that_is_none_is_no_listing(github, tmp_path):
    publish(github, *conllu("test"))
    for answer in (b"<html>", b"[]", b'{"message": "moved"}'):
        github.files[TREE] = answer
        assert list(listed(tmp_path)[0]) == ["test"]


def test_a_release_that_is_not_published_is_said_at_once(github, tmp_path):
    with pytest.raises(DownloadError, match=r"r2.17: there is no such repository, or no such release of it"):
        listed(tmp_path)
    assert [request[1] for request in github.requests] == [TREE]


def test_another_prefix_is_proposed(github, tmp_path):
    publish(github, "aa_cc-ud-train.conllu")
    with pytest.raises(
        DownloadError, match=r"has no file aa_bb-ud-\{train,dev,test\}.conllu; did you mean prefix: aa_cc\?"
    ):
        listed(tmp_path)


def test_a_branch_that_moves_is_held_by_the_sums_of_its_first_download(github, tmp_path, capsys):
    tree, folder = TREE.replace("r2.17", "master"), FILES.replace("r2.17", "master")
    publish(github, *conllu("train", "test"), tree=tree, folder=folder)
    _, path = listed(tmp_path, "master")
    assert "master is a branch, which moves; what is downloaded now is held by the sums in" in capsys.readouterr().out
    assert not treebank_publication("UD_Aa-Bb", "0" * 40, "aa_bb").moves
    github.files[f"{folder}/aa_bb-ud-test.conllu"] = b"revised"
    path.unlink()
    listed(tmp_path, "master")  # what is there is not fetched anew
    path.unlink()
    path.with_name("aa_bb-ud-test.conllu").unlink()
    with pytest.raises(DownloadError, match=r"the first download, recorded in .*delete its line there to accept"):
        listed(tmp_path, "master")


def test_a_digest_of_the_entry_holds_the_one_file_of_its_part(github, tmp_path):
    publish(github, *conllu("train-a", "train-b", "test"))
    with pytest.raises(DownloadError, match="the registry of languages has 00"):
        listed(tmp_path, sha256={"test": "0" * 64})
    with pytest.raises(DownloadError, match=r"its training part is 2 files, so that the sha256.train of its entry"):
        listed(tmp_path, sha256={"train": "0" * 64})
    with pytest.raises(DownloadError, match=r"its development part is not there, so that the sha256.dev of its entry"):
        listed(tmp_path, sha256={"dev": "0" * 64})


def test_files_that_are_not_as_listed_are_refused_and_the_remedy_brings_them_back(github, tmp_path):
    publish(github, *conllu("train", "test"))
    _, path = listed(tmp_path)
    file = path.with_name("aa_bb-ud-test.conllu")
    for damage, said in ((file.unlink, "which is not there"), (lambda: file.write_text("x"), "is another file than")):
        damage()
        with pytest.raises(InputError, match=rf"{said}.*delete aa_bb-ud-files.txt and run again"):
            listed_parts(path)
        path.unlink()
        listed(tmp_path)
        assert file.read_text() == file.name


@pytest.mark.parametrize(
    "line", ["test\tx.conllu", "test x.conllu " + "0" * 64, "all\tx.conllu\t" + "0" * 64, "test\t../x\t" + "0" * 64]
)
def test_a_list_that_is_none_is_refused_with_its_line(tmp_path, line):
    (tmp_path / "list.txt").write_text(line + "\n")
    with pytest.raises(InputError, match=r"list.txt, line 1: is not a line of part, file name and sha256"):
        listed_parts(tmp_path / "list.txt")


def test_an_empty_list_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("")
    with pytest.raises(InputError, match="lists no file"):
        listed_parts(tmp_path / "list.txt")


# -- named entities, and what has three files ----------------------------------------------------------------


def test_universal_ner_is_found_without_its_prefix_where_it_can_be_asked(github, tmp_path):
    iob2 = [f"aa_bb-ud-{part}.iob2" for part in ("dev", "test", "train")]
    tree, folder = "/repos/UniversalNER/UNER_Aa-Bb/git/trees/HEAD", "/UniversalNER/UNER_Aa-Bb/HEAD"
    publish(github, *iob2, "aa_bb-ud-train-first.iob2", tree=tree, folder=folder)
    publication = universal_entities("UNER_Aa-Bb")
    path = tmp_path / publication.destination
    assert publication.destination == "resources/universal-ner/UNER_Aa-Bb/ud-files.txt"
    fetch_listed(publication, path, {}, None, all_parts=True)
    assert [file.name for files in listed_parts(path).values() for file in files] == [iob2[2], iob2[0], iob2[1]]
    github.answers[tree] = [refusing(403)]
    with pytest.raises(DownloadError, match=r"answers 403 .* give the prefix of its files beside its name"):
        fetch_listed(publication, path, {}, None, all_parts=True)
    fetch_listed(universal_entities("UNER_Aa-Bb", "aa_bb"), path, {}, None, all_parts=True)


def test_several_data_sets_in_one_folder_of_a_mirror_need_a_prefix(tmp_path):
    folder = tmp_path / "universal-ner/UNER_Aa-Bb"
    folder.mkdir(parents=True)
    for name in ("aa_bb-ud-test.iob2", "aa_cc-ud-test.iob2"):
        (folder / name).write_text(name)
    (folder / "sha256sums.txt").write_text(
        "".join(f"{file_hash(path)}  {path.name}\n" for path in folder.glob("*.iob2"))
    )
    path = tmp_path / "run/ud-files.txt"
    with pytest.raises(DownloadError, match="has files of several data sets; give one of prefix: aa_bb, aa_cc"):
        fetch_listed(universal_entities("UNER_Aa-Bb"), path, {}, str(tmp_path), all_parts=False)
    fetch_listed(universal_entities("UNER_Aa-Bb", "aa_cc"), path, {}, str(tmp_path), all_parts=False)
    assert [file.name for file in listed_parts(path)["test"]] == ["aa_cc-ud-test.iob2"]


@pytest.mark.parametrize(
    ("files", "folder"),
    [(masakhaner_files, "MasakhaNER2.0/data/xyz"), (masakhapos_files, "data/xyz")],
)
def test_masakhane_comes_from_a_commit_and_has_a_mirrors_layout(github, tmp_path, files, folder):
    published = files("xyz", {"dev": "0" * 64})
    collection = files.__name__.removesuffix("_files")
    assert [source.mirror_path for source in published.values()] == [
        f"{collection}/xyz/{part}.txt" for part in ("train", "dev", "test")
    ]
    (url,) = published["train"].urls
    assert re.fullmatch(rf"{github.url}/masakhane-io/masakhane-...?/[0-9a-f]{{40}}/{folder}/train\.txt", url)
    github.files = {source.urls[0].removeprefix(github.url): b"x" for source in published.values()}
    destinations = {part: tmp_path / f"{part}.txt" for part in published}
    fetch_parts(files("xyz", {}), destinations, None)
    assert all(path.read_bytes() == b"x" for path in destinations.values())
    with pytest.raises(DownloadError, match="the registry of languages has 00"):
        fetch_parts(published, destinations, None)
