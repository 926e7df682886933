"""`python -m specialize new` against hosts played by local servers, against a mirror, and with tags that are none."""

import bz2
import hashlib
import io
import json
import random
import re
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from specialize import __main__ as command_line
from specialize.errors import DownloadError, SpecializeError
from specialize.experiment import Experiment
from specialize.new_language import new_language, tagged
from specialize.sources import published

SIZES = {"train": 900, "dev": 100, "test": 100}  # of MasakhaNER
CYRILLIC = "абвгдежзиклмноп"
LATIN = "abdeghiklmnoprst"


def words(letters, number, seed=1):
    random_letters = random.Random(seed)
    return ["".join(random_letters.choices(letters, k=6)) for _ in range(number)]


def conllu(sentences, length=5, letters=CYRILLIC, xpos="N", head=True, documents=0):
    lines = []
    for number, form in enumerate(words(letters, sentences)):
        if documents and number % (sentences // documents) == 0:
            lines.append(f"# newdoc id = d{number}")
        form = "_" if letters == "_" else form
        for word in range(1, length + 1):
            parent = str(word - 1) if head else "_"
            lines.append(f"{word}\t{form}\t_\tNOUN\t{xpos}\t_\t{parent}\tdep\t_\t_")
        lines.append("")
    return "\n".join(lines).encode()


def tokens(sentences, letters=LATIN):
    return "".join(f"{word} B-PER\n\n" for word in words(letters, sentences)).encode()


def dump(letters, redirects=1):
    text = " ".join(words(letters, 400))
    page = "<page><title>{0}</title><ns>0</ns><id>{0}</id>{1}<revision><id>9</id><text>{2}</text></revision></page>"
    pages = [page.format(number, "<redirect/>" if number < redirects else "", text) for number in range(30)]
    return bz2.compress(f"<mediawiki>{''.join(pages)}</mediawiki>".encode())


def wikiann(code, sentences=50):
    """As published: its tokens have the language before them."""
    content = "".join(f"{code}:{word}\tB-PER\n\n" for word in words(CYRILLIC, sentences)).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for part in ("train", "dev", "test"):
            member = tarfile.TarInfo(part)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zipped(codes, padding):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as collection:
        collection.writestr("panx_dataset/padding", random.Random(1).randbytes(padding))
        for code in codes:
            collection.writestr(f"panx_dataset/{code}.tar.gz", b"packed")
    return packed.getvalue()


# -- hosts -------------------------------------------------------------------------------------------------


class Host:
    """A server with files by path.

    Attributes:
        status: what it answers to everything, if given.
        refused: what is in the paths for which GET is refused.
    """

    def __init__(self, files):
        self.files, self.status, self.refused, self.asked = files, None, "", []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                host.asked.append((self.command, self.path))
                content = host.files.get(self.path)
                status = host.status or (200 if content is not None else 404)
                if host.refused and host.refused in self.path and self.command == "GET":
                    status = 403
                content = content if status == 200 else b""
                asked = self.headers["Range"]
                if status == 200 and asked:
                    status, (first, _, last) = 206, asked.removeprefix("bytes=").partition("-")
                    content = content[int(first) : int(last) + 1] if first else content[-int(last) :]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def name(self):
        return urlsplit(self.url).netloc

    def go_down(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hosts(monkeypatch):
    """Wikimedia, GitHub's files, GitHub's lists and the host of WikiAnn, with Kazakh, Wolof and Danish data."""
    ud = "/UniversalDependencies/UD_Kazakh"
    releases = {
        "2.5": {"treebanks": ["UD_Kazakh-KTB", "UD_Kazakh-Gone"]},
        "2.17": {"treebanks": ["UD_Kazakh-KTB", "UD_Kazakh-Small", "UD_Kazakh-New", "UD_Danish-DDT"]},
        "2.9": {"treebanks": ["UD_Kazakh-KTB"]},
    }
    languages = {
        "Kazakh": {"lcode": "kk", "iso3": "kaz", "family": "Turkic, Northwestern"},
        "Danish": {"lcode": "da", "iso3": "dan", "family": "IE, Germanic"},
        "Norwegian": {"lcode": "no", "iso3": "nor"},
    }
    index = "/UniversalDependencies/docs-automation/master"
    masakhane, masakhapos = f"/{published.MASAKHANER}/wol", f"/{published.MASAKHAPOS}/wol"
    uner = "/UniversalNER/UNER_Danish-PUD/HEAD/da_pud-ud"
    dumps = {
        "/kkwiki/": b'<a href="20260101/">20260101/</a> <a href="20260201/">20260201/</a>',
        "/kkwiki/20260101/kkwiki-20260101-sha1sums.txt": b"00  kkwiki-20260101-pages-articles.xml.bz2\n",
        "/kkwiki/20260201/kkwiki-20260201-sha1sums.txt": b"00  kkwiki-20260201-abstract.xml\n",  # has only begun
        "/kkwiki/20260101/kkwiki-20260101-pages-articles.xml.bz2": dump(CYRILLIC),
        "/xalwiki/": b'<a href="20260101/">20260101/</a>',
        "/xalwiki/20260101/xalwiki-20260101-sha1sums.txt": b"00  xalwiki-20260101-pages-articles.xml.bz2\n",
        "/xalwiki/20260101/xalwiki-20260101-pages-articles.xml.bz2": dump(CYRILLIC),
    }
    files = {
        f"{index}/codes_and_flags.yaml": yaml.safe_dump(languages).encode(),
        f"{index}/valdan/releases.json": json.dumps({"releases": releases}).encode(),
        f"{ud}-KTB/r2.17/kk_ktb-ud-train.conllu": conllu(31),
        f"{ud}-KTB/r2.17/kk_ktb-ud-test.conllu": conllu(200, documents=4),
        f"{ud}-KTB/r2.17/LICENSE.txt": b"\nCC BY-SA 4.0\n",
        f"{ud}-Small/r2.17/kk_small-ud-test.conllu": conllu(8),
        f"{ud}-New/master/kk_new-ud-test.conllu": conllu(40),
        **{f"{masakhane}/{part}.txt": tokens(number) for part, number in SIZES.items()},
        f"{masakhapos}/train.txt": tokens(300),
        f"{masakhapos}/dev.txt": tokens(100),
        f"{masakhapos}/test.txt": tokens(100),
        f"{uner}-test.iob2": b"".join(b"# sent_id = 1\n1\tord\tO\t-\t-\n\n" for _ in range(100)),
    }
    names = [{"name": name} for name in ("uner_code", "UNER_Danish-PUD", "UNER_Serbian-SET")]
    played = {
        "dumps": Host(dumps),
        "files": Host(files),
        "lists": Host({"/orgs/UniversalNER/repos?per_page=100&page=1": json.dumps(names).encode()}),
        "wikiann": Host({"/panx.zip": zipped(["kk", "da"], 200_000)}),
    }
    monkeypatch.setattr(published, "WIKIMEDIA", played["dumps"].url)
    monkeypatch.setattr(published, "WIKIANN", f"{played['wikiann'].url}/panx.zip")
    monkeypatch.setattr(published, "GITHUB_FILES", played["files"].url)
    monkeypatch.setattr(published, "GITHUB_API", played["lists"].url)
    yield played
    for host in played.values():
        host.go_down()


def write(tag, tmp_path, **how):
    """What `new` printed, and the file's entry of the language, experiment and text."""
    path = tmp_path / f"{tag}.yaml"
    printed = new_language(tag, path, **how)
    content = path.read_text(encoding="utf-8")
    config = yaml.safe_load(content)
    return printed, config["languages"][tag], config, content


def test_all_that_is_published_for_a_language(hosts, tmp_path):
    printed, entry, config, content = write("kk", tmp_path)
    assert (entry["name"], entry["script"], entry["family"]) == ("Kazakh", "Cyrillic", "Turkic, Northwestern")
    assert entry["corpus"] == {"wikipedia": "kk", "date": "20260101"}
    taken = entry["treebank"]
    assert (taken["name"], taken["release"], taken["prefix"]) == ("UD_Kazakh-KTB", "r2.17", "kk_ktb")
    assert (taken["tags"], taken["folds"]) == ("xpos", 10)
    assert taken["sha256"]["train"] == hashlib.sha256(conllu(31)).hexdigest()
    assert entry["ner"] == {"wikiann": "kk"}
    assert config["experiment"]["regimes"] == ["pos", "ud", "ner"]
    assert config["experiment"]["representations"] == ["mbert", "lapt", "tva"]
    assert config["finetuning"]["batch_sizes"] == {"kk": {"pos": 8, "ud": 8}}
    assert "# transliteration: {scheme: uroman}" in content
    assert "# treebank: {name: UD_Kazakh-New, release: master, prefix: kk_new}" in content
    assert "# treebank: {name: UD_Kazakh-Small, release: r2.17, prefix: kk_small}" in content
    assert "UD_Kazakh-Gone" not in content
    assert "CC BY-SA 4.0" in content
    assert "train 31, test 200 sentences, in 4 documents (taken)" in printed
    assert printed.endswith(f"snakemake diagnosis --cores 4 --directory runs/kk --configfile {tmp_path / 'kk.yaml'}")
    assert "Could not ask" not in printed
    assert len(hosts["wikiann"].asked) == 1, "for its end"


def test_what_others_have_written_stays_a_comment(hosts, tmp_path):
    license = "/UniversalDependencies/UD_Kazakh-KTB/r2.17/LICENSE.txt"
    hosts["files"].files[license] = "free\x00\x1b[0m\u2028allow_cpu: true\x85accept_rerun: true\n".encode()
    _, entry, config, content = write("kk", tmp_path, name="Kazakh\nallow_cpu: true # {x}")
    assert config.keys() == {"experiment", "languages", "finetuning"}
    assert entry["name"] == "Kazakh allow_cpu: true # {x}"
    assert "# check: free" in content


def test_gold_data_are_preferred_and_silver_stands_beside_them(hosts, tmp_path):
    _, entry, config, content = write("wo", tmp_path)
    sums = {part: hashlib.sha256(tokens(number)).hexdigest() for part, number in SIZES.items()}
    assert entry["ner"] == {"masakhaner": "wol", "sha256": sums}
    assert entry["treebank"].pop("sha256").keys() == {"train", "dev", "test"}
    assert entry["treebank"] == {"masakhapos": "wol", "tags": "upos"}
    assert config["finetuning"]["batch_sizes"]["wo"] == {"pos": 8, "ner": 16}
    assert config["experiment"]["regimes"] == ["pos", "ner"]
    _, entry, _, content = write("da", tmp_path)
    assert entry["ner"].pop("sha256").keys() == {"test"}, "it is taken from a branch, which moves"
    assert entry["ner"] == {"universal": "UNER_Danish-PUD", "prefix": "da_pud", "folds": 10}
    assert "# ner: {wikiann: da}  # WikiAnn da; silver" in content
    assert "corpus" not in entry


def test_a_treebank_whose_parts_have_several_files_is_left_to_a_person(hosts, mirror, tmp_path):
    files = [{"name": "README.md"}, {"name": "kk_ktb-ud-train-a.conllu"}]
    hosts["files"].files.pop("/UniversalDependencies/UD_Kazakh-KTB/r2.17/kk_ktb-ud-train.conllu")
    contents = "/repos/UniversalDependencies/UD_Kazakh-KTB/contents?ref=r2.17"
    hosts["lists"].files[contents] = json.dumps(files).encode()
    _, entry, _, content = write("kk", tmp_path)
    assert entry["treebank"]["name"] == "UD_Kazakh-New"
    assert re.search("# treebank: {name: UD_Kazakh-KTB, .*}  # a part of it has several files", content)
    put(mirror, "universal-dependencies/UD_Russian-A/r2.17/ru_a-ud-train-b.conllu", conllu(9))
    _, entry, _, content = write("ru", tmp_path, mirror=str(mirror))
    assert "treebank" not in entry
    assert re.search("# treebank: {name: UD_Russian-A, .*}  # a part of it has several files", content)


def test_a_treebank_all_of_whose_parts_have_several_files_is_named(hosts, tmp_path):
    contents = "/repos/UniversalDependencies/UD_Kazakh-New/contents?ref=r2.17"
    hosts["lists"].files[contents] = json.dumps([{"name": "kk_new-ud-test-a.conllu"}]).encode()
    _, _, _, content = write("kk", tmp_path)
    assert "# treebank: {name: UD_Kazakh-New, release: r2.17, prefix: kk_new}" in content


def test_tokens_of_wikiann_are_counted_without_their_language(tmp_path):
    put(tmp_path / "mirror", "wikiann/kk.tar.gz", wikiann("kk"))
    printed, entry, _, _ = write("kk", tmp_path, mirror=str(tmp_path / "mirror"))
    assert entry["ner"] == {"wikiann": "kk"}
    assert "Cyrillic: 100.0% of 900 letters of WikiAnn" in printed
    assert "Warning" not in printed


def test_a_script_that_the_registry_has_otherwise_is_warned_of(hosts, tmp_path):
    printed, entry, _, content = write("xal", tmp_path)
    assert entry["script"] == "Cyrillic"
    assert "Warning: its Wikipedia is Cyrillic, but the registry has xal as Latin" in printed
    assert "# check: its Wikipedia is Cyrillic, but the registry has xal as Latin" in content


@pytest.mark.parametrize("how", ["down", 403, 503])
def test_without_network_what_is_known_is_written(hosts, tmp_path, how):
    for host in hosts.values():
        if how == "down":
            host.go_down()
        else:
            host.status = how
    printed, entry, _, content = write("kk", tmp_path)
    assert entry == {"name": "Kazakh", "script": "Cyrillic", "corpus": {"wikipedia": "kk", "date": "latest"}}
    for name, what in (("dumps", "its Wikipedia"), ("files", "its treebanks"), ("wikiann", "WikiAnn")):
        problem = "no answer" if how == "down" else f"answers {how}"
        assert f"Could not ask {hosts[name].name} ({problem}" in printed
        assert what in printed
        assert f"# Could not be asked: {hosts[name].name}" in content
    assert printed.endswith(f"-m specialize resolve-dates {tmp_path / 'kk.yaml'}")


def test_without_network_a_language_of_the_paper_has_that_of_its_configuration(hosts, tmp_path):
    for host in hosts.values():
        host.go_down()
    printed, entry, config, _ = write("wo", tmp_path)
    assert "treebank: that of the paper's configuration, with which the file merges" in printed
    assert "named entities: none known" in printed  # the paper has none of Wolof
    assert "treebank" not in entry
    assert config["experiment"]["regimes"] == ["pos", "ud"]


def test_one_host_that_refuses_hides_only_what_it_has(hosts, tmp_path):
    hosts["files"].status = 429
    printed, entry, _, _ = write("kk", tmp_path)
    assert entry["corpus"]["date"] == "20260101"
    assert entry["ner"] == {"wikiann": "kk"}
    assert "treebank" not in entry
    assert f"Could not ask {hosts['files'].name} (answers 429" in printed
    assert len(hosts["files"].asked) == 1, "a host that refuses is left alone"


def test_an_index_that_has_changed_is_reported(hosts, tmp_path):
    hosts["files"].files["/UniversalDependencies/docs-automation/master/valdan/releases.json"] = b"<html>"
    hosts["wikiann"].files["/panx.zip"] = b"no longer a collection"
    printed, entry, _, _ = write("kk", tmp_path)
    assert "valdan/releases.json (it is not the index that it was) for its treebanks" in printed
    assert "panx.zip (it is not the collection that it was) for WikiAnn" in printed
    assert "Look at what is there, and add by hand what is missing." in printed
    assert "Could not ask" not in printed
    assert entry.keys() == {"name", "script", "tokens", "corpus"}


def test_a_language_without_anything_is_refused(hosts, tmp_path):
    with pytest.raises(
        SpecializeError, match=r"there is no Wikipedia, treebank or named entities for Kokota .* --text"
    ):
        write("kkk", tmp_path)
    hosts["files"].status = 403
    with pytest.raises(SpecializeError, match=f"{hosts['files'].name} gave no answer that can be used, and elsewhere"):
        write("kkk", tmp_path)
    assert not list(tmp_path.iterdir())


# -- mirrors -----------------------------------------------------------------------------------------------


def put(mirror, path, content):
    """A file of a mirror, with its line in the listing."""
    file = mirror / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with file.with_name("sha256sums.txt").open("a", encoding="utf-8") as listing:
        listing.write(f"{hashlib.sha256(content).hexdigest()}  {file.name}\n")


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    ud = "universal-dependencies"
    put(folder, "wikipedia/ruwiki/20260101/ruwiki-20260101-pages-articles.xml.bz2", dump(CYRILLIC))
    put(folder, f"{ud}/UD_Russian-A/r2.5/ru_a-ud-test.conllu", conllu(500))
    put(folder, f"{ud}/UD_Russian-A/r2.17/ru_a-ud-test.conllu", conllu(90, xpos="_", letters=LATIN))
    put(folder, f"{ud}/UD_Russian-A/master/ru_a-ud-test.conllu", conllu(500))
    put(folder, f"{ud}/UD_Russian-Withheld/r2.17/ru_withheld-ud-test.conllu", conllu(300, letters="_"))
    put(folder, f"{ud}/UD_Old_Russian-B/r2.17/orv_b-ud-test.conllu", conllu(900))
    put(folder, f"{ud}/UD_North_Sami-C/r2.17/sme_c-ud-test.conllu", conllu(90, letters=LATIN, head=False))
    put(folder, "wikiann/ru.tar.gz", wikiann("ru"))
    return folder


def test_a_mirror_takes_the_place_of_all_hosts(hosts, mirror, tmp_path):
    printed, entry, config, content = write("ru", tmp_path, mirror=str(mirror))
    assert entry["corpus"] == {"wikipedia": "ru", "date": "20260101"}
    assert (entry["treebank"]["name"], entry["treebank"]["release"]) == ("UD_Russian-A", "r2.17")
    assert (entry["treebank"]["tags"], entry["treebank"]["folds"]) == ("upos", 10)
    assert entry["transliteration"] == {"scheme": "transliterate", "language": "ru"}
    assert config["finetuning"]["batch_sizes"]["ru"] == {"pos": 8, "ud": 8, "ner": 8}
    assert re.search("# treebank: {name: UD_Russian-Withheld, .*}  # its text is withheld", content)
    assert "UD_Old_Russian" not in content
    assert "Warning: UD_Russian-A is Latin, but its Wikipedia is Cyrillic" in printed
    assert f"--config 'mirror=\"{mirror}\"'" in printed
    assert not any(host.asked for host in hosts.values())
    experiment = Experiment.read(tmp_path / "ru.yaml", {"mirror": str(mirror)})
    assert [language.tag for language in experiment.grid_languages] == ["ru"]


def test_treebanks_are_found_by_the_code_of_their_files(mirror, tmp_path):
    _, entry, config, _ = write("se", tmp_path, mirror=str(mirror))
    assert entry["treebank"]["prefix"] == "sme_c"
    assert config["experiment"]["regimes"] == ["pos"], "without trees"
    assert config["experiment"]["representations"] == ["mbert"], "without text"


def test_a_mirror_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DownloadError, match=r"there is no mirror .*nowhere; give a folder, or a URL"):
        write("ru", tmp_path, mirror=str(tmp_path / "nowhere"))
    with pytest.raises(DownloadError, match=r"gives no answer .*; is it up\?"):
        write("ru", tmp_path, mirror="http://127.0.0.1:9/mirror")


def served(mirror):
    """What a server has that serves the folder, with a page for each folder in it."""
    files = {f"/{path.relative_to(mirror)}": path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
    for folder in [mirror, *(path for path in mirror.rglob("*") if path.is_dir())]:
        page = "".join(f'<a href="{path.name}/">x</a>' for path in sorted(folder.iterdir()))
        files[f"/{folder.relative_to(mirror)}/".replace("/./", "/")] = page.encode()
    return files


def test_a_useless_answer_of_a_mirror_hides_nothing_else(mirror, tmp_path):
    (mirror / "wikipedia/kkwiki/20260101").mkdir(parents=True)
    put(mirror, "universal-dependencies/UD_Kazakh-KTB/r2.17/kk_ktb-ud-test.conllu", conllu(90))
    host = Host(served(mirror))
    printed, entry, _, content = write("kk", tmp_path, mirror=host.url)
    assert f"Could not use {host.url}/wikipedia/kkwiki ({host.url}/wikipedia/kkwiki: has no finished dump" in printed
    assert f"# Could not be used: {host.url}/wikipedia/kkwiki" in content
    assert entry["treebank"]["name"] == "UD_Kazakh-KTB"
    assert "corpus" not in entry
    assert "snakemake diagnosis" in printed.splitlines()[-1]
    host.go_down()


def test_a_mirror_that_refuses_is_named_to_the_command_that_asks_it_again(mirror, tmp_path):
    host = Host(served(mirror))
    host.refused = "/wikipedia/"
    printed, entry, _, _ = write("ru", tmp_path, mirror=host.url)
    host.go_down()
    assert entry["corpus"] == {"wikipedia": "ru", "date": "latest"}
    assert printed.endswith(f"-m specialize resolve-dates {tmp_path / 'ru.yaml'} --mirror {host.url}")


def test_a_folder_that_a_mirror_refuses_to_list_is_named(mirror, tmp_path):
    host = Host(served(mirror))
    host.refused = "/universal-dependencies/"
    printed, entry, _, _ = write("ru", tmp_path, mirror=host.url)
    host.go_down()
    assert f"Could not ask {host.name} (answers 403 Forbidden) for its treebanks" in printed
    assert "treebank" not in entry


def test_a_treebank_that_cannot_be_had_is_not_said_to_be_withheld(hosts, tmp_path):
    hosts["files"].refused = "-KTB/r2.17/kk_ktb-ud-train.conllu"
    _, _, _, content = write("kk", tmp_path)
    assert re.search("# treebank: {name: UD_Kazakh-KTB, .*}  # it could not be read", content)
    assert "withheld" not in content


def test_a_release_without_files_hides_no_older_one(mirror, tmp_path):
    ud = "universal-dependencies"
    put(mirror, f"{ud}/UD_Russian-Old/r2.17/README.md", b"nothing else")
    put(mirror, f"{ud}/UD_Russian-Old/r2.5/ru_old-ud-test.conllu", conllu(900, letters=LATIN, xpos="_"))
    for part in ("train", "dev", "test"):
        put(mirror, f"{ud}/UD_Russian-Pieces/r2.17/ru_pieces-ud-{part}-a.conllu", conllu(9))
    _, entry, _, content = write("ru", tmp_path, mirror=str(mirror))
    assert (entry["treebank"]["name"], entry["treebank"]["release"]) == ("UD_Russian-Old", "r2.5")
    assert "# treebank: {name: UD_Russian-Pieces, release: r2.17, prefix: ru_pieces}" in content


def test_a_mirror_without_the_base_model_is_told(mirror, tmp_path):
    put(mirror, "models/mini/config.json", b"{}")
    printed, _, _, content = write("ru", tmp_path, mirror=str(mirror))
    said = "it has no mbert in models (what there is: mini); name one at the top level of this file: "
    assert said in printed and said in content


def test_a_mirror_by_its_address(mirror, tmp_path):
    host = Host(served(mirror))
    _, by_path, _, _ = write("ru", tmp_path, mirror=str(mirror))
    printed, by_address, _, _ = write("ru", tmp_path, mirror=host.url, overwrite=True)
    assert by_address == by_path
    for address in [address for address in host.files if address.endswith("/")]:
        del host.files[address]
    printed, entry, _, _ = write("ru", tmp_path, mirror=host.url, overwrite=True)
    host.go_down()
    assert "it shows no lists of its folders) for its dumps, its treebanks" in printed
    assert entry["ner"] == {"wikiann": "ru"}


def test_an_entry_that_the_paper_has_merges_to_what_the_file_says(mirror, tmp_path):
    put(mirror, "wikipedia/bewiki/20260101/bewiki-20260101-pages-articles.xml.bz2", dump(CYRILLIC))
    put(mirror, "universal-dependencies/UD_Belarusian-HSE/r2.17/be_hse-ud-test.conllu", conllu(90))
    gold = b"1\tword\tO\n\n" * 40
    put(mirror, "universal-ner/UNER_Belarusian-HSE/be_hse-ud-test.iob2", gold)
    put(mirror, "wikiann/be.tar.gz", wikiann("be"))
    _, entry, _, content = write("be", tmp_path, mirror=str(mirror))
    merged = Experiment.read(tmp_path / "be.yaml").languages["be"].entry
    assert merged["corpus"] == entry["corpus"] == {"wikipedia": "be", "date": "20260101", "sample": 1}
    assert merged["treebank"]["release"] == "r2.17"
    assert merged["treebank"]["sha256"]["test"] == entry["treebank"]["sha256"]["test"]
    assert merged["ner"] == entry["ner"]
    assert entry["ner"].pop("sha256") == {"test": hashlib.sha256(gold).hexdigest()}
    assert entry["ner"] == {"universal": "UNER_Belarusian-HSE", "prefix": "be_hse", "folds": 10}
    assert "# ner: {wikiann: be}  # WikiAnn be; silver" in content


# -- text of one's own -------------------------------------------------------------------------------------


def test_text_of_ones_own_takes_the_place_of_a_wikipedia(mirror, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(" ".join(words(CYRILLIC, 300)), encoding="utf-8")
    printed, entry, _, _ = write("ru", tmp_path, mirror=str(mirror), text=text)
    assert entry["corpus"] == {"text": str(text)}
    assert "Cyrillic: 100.0% of 1,800 letters of the text" in printed
    exported = tmp_path / "export.xml.bz2"
    exported.write_bytes(dump(CYRILLIC))
    _, entry, _, _ = write("ru", tmp_path, mirror=str(mirror), text=exported, overwrite=True)
    assert entry["corpus"] == {"dump": str(exported)}
    text.write_text("1 2 3\n", encoding="utf-8")
    with pytest.raises(SpecializeError, match="has no letters; give a text of the language"):
        write("ru", tmp_path, mirror=str(mirror), text=text, overwrite=True)
    with pytest.raises(SpecializeError, match="there is no file"):
        write("ru", tmp_path, mirror=str(mirror), text=tmp_path / "none", overwrite=True)


def test_a_tag_for_private_use_needs_a_name_and_a_text(hosts, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(" ".join(words(LATIN, 300)), encoding="utf-8")
    with pytest.raises(SpecializeError, match=r"is for private use, and has no name in the registry; give .* --name"):
        write("qaa", tmp_path, text=text)
    with pytest.raises(SpecializeError, match="nothing is published under it; give --text"):
        write("qaa", tmp_path, name="Ours")
    _, entry, _, _ = write("qaa", tmp_path, text=text, name="Ours: a language")
    assert (entry["name"], entry["script"]) == ("Ours: a language", "Latin")
    assert not any(host.asked for host in hosts.values())


# -- tags and files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "remedy"),
    [
        ("ug_CN", "write ug$"),
        ("", "is not a BCP-47 tag; look it up"),
        ("../x", "is not a BCP-47 tag"),
        ("a/b", "is not a BCP-47 tag; nearest: ab"),
        ("base", "is not a BCP-47 tag"),
        ("iw", "has retired the tag iw; write he"),
        ("kv", r"give that of your text: kpv \(Komi-Zyrian\), koi \(Komi-Permyak\)"),
        ("bat-smg", "is not one language"),
        ("mul", "is not one language|has no tag mul"),
        ("eng", "write en$"),
        ("UG", "write it so"),
        ("ltgx", "nearest: .*ltg"),
        ("Wolof", "Wolof has the tag wo$"),
        ("x-foo", "has no tag x-foo"),
        ("ug-Latn", "is the twin that transliteration makes of ug; write ug"),
    ],
)
def test_a_wrong_tag_is_refused_with_a_better_one(tag, remedy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecializeError, match=remedy):
        new_language(tag, mirror=str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_codes_of_a_language():
    assert tagged("kpv").wikipedias == ("kpv", "kv")
    assert tagged("koi").wikipedias == ("koi",), "kv is of another"
    assert tagged("gsw").wikipedias == ("als",)
    assert tagged("als").wikipedias == ("sq",), "als is Alemannic's"
    assert tagged("nrm").wikipedias == (), "nrm is Norman's"
    assert tagged("nb").wikipedias == ("no",)
    assert "no" in tagged("nb").codes
    assert tagged("swh").three_letters == ("swh", "swa")
    assert tagged("sr-Latn").script == "Latin"
    assert tagged("sr").script == "Cyrillic"


def test_a_file_is_replaced_only_when_that_is_said(mirror, tmp_path):
    path = tmp_path / "ru.yaml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(SpecializeError, match="is there already; give another file by --output, or --overwrite"):
        new_language("ru", path, str(mirror))
    assert path.read_text(encoding="utf-8") == "mine"
    new_language("ru", path, str(mirror), overwrite=True)
    assert "Russian" in path.read_text(encoding="utf-8")
    with pytest.raises(SpecializeError, match="is a folder; give --output a file in it"):
        new_language("ru", tmp_path, str(mirror))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mirror", "ru.yaml"]


def test_the_command_writes_beside_you(mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["specialize", "new", "ru", "--mirror", "mirror"])
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    command_line.main()
    printed = capsys.readouterr().out
    assert Path("ru.yaml").is_file()
    assert f'mirror="{mirror}"' in printed
    with pytest.raises(SystemExit, match=r"Error: .*is there already"):
        command_line.main()
