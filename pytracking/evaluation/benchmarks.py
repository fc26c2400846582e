"""The benchmarks: where the sequences of each lie below its directory. Lists and exceptions are in ``data/*.json``.

Each function returns the sequences that the directory holds, and takes the directory as ``root`` (default: the path
that the environment has for it). Errors are those of :func:`pytracking.evaluation.layout.read_entries`.

``shortened`` reads a copy whose sequences end early on purpose, which is an error otherwise where the benchmark's list
has a last image; the data set is then named ``otb_shortened`` and so on, so that its results are not taken for those of
the benchmark.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltr.dataset.names import path_below
from ltr.dataset.text import read_json
from pytracking.evaluation.layout import Rules, SequenceEntry, benchmark_root, listed_names, read_entries
from pytracking.evaluation.sequence import SequenceList

VOT_YEARS = range(2013, 2020)  # later challenges have masks instead of polygons


def otb(root: Path | None = None, shortened: bool = False) -> SequenceList:
    """Returns OTB-2015: Y. Wu, J. Lim, M.-H. Yang, Object Tracking Benchmark, PAMI 2015; 100 runs.

    Layout: ``<otb_dir>/<folder>/img/0001.jpg``, ``<otb_dir>/<folder>/groundtruth_rect.txt``.
    """
    return _listed("otb", benchmark_root(root, "otb_dir"), otb_entries(), "otb_dir", Rules(shortened=shortened))


def otb13(root: Path | None = None, shortened: bool = False) -> SequenceList:
    """Returns OTB-2013, 51 of the runs of OTB-2015; see :func:`otb`."""
    folder = benchmark_root(root, "otb_dir")
    return _listed("otb13", folder, otb_entries(only_2013=True), "otb_dir", Rules(shortened=shortened))


def otb_entries(only_2013: bool = False) -> list[SequenceEntry]:
    """Returns where the 100 runs of OTB-2015 lie, or the 51 of OTB-2013."""
    entries = []
    for run in _data("otb")["runs"]:
        if only_2013 and not run.get("otb13", False):
            continue
        folder = run.get("folder", run["name"])
        first, last = run.get("frames", (None, None))
        boxes = f"{folder}/{run.get('boxes', 'groundtruth_rect.txt')}"
        aliases = tuple(run.get("aliases", ()))
        entries.append(
            SequenceEntry(run["name"], f"{folder}/img", boxes, first, last, run.get("omit", 0), aliases=aliases)
        )
    return entries


def uav(root: Path | None = None, shortened: bool = False) -> SequenceList:
    """Returns UAV123: M. Mueller, N. Smith, B. Ghanem, A Benchmark and Simulator for UAV Tracking, ECCV 2016.

    Layout: ``<uav_dir>/data_seq/UAV123/<folder>/000001.jpg``, ``<uav_dir>/anno/UAV123/<sequence>.txt``. Long videos are
    cut into several sequences. Lines of NaN are frames without the target; the protocol says how they count.
    """
    return _uav("uav", root, uav_entries(), shortened)


def uav20l(root: Path | None = None, shortened: bool = False) -> SequenceList:
    """Returns UAV20L, the 20 long videos of UAV123; boxes in ``<uav_dir>/anno/UAV20L/``. See :func:`uav`."""
    return _uav("uav20l", root, uav20l_entries(), shortened)


def uav_entries() -> list[SequenceEntry]:
    """Returns where the 123 sequences of UAV123 lie, from which image to which."""
    data = _data("uav")
    runs = [(name, name, (1, last)) for name, last in data["whole"].items()]
    for folder, parts in data["parts"].items():
        runs += [(f"{folder}_{number}", folder, part) for number, part in enumerate(parts, start=1)]
    return [_uav_entry("UAV123", name, folder, *part) for name, folder, part in sorted(runs)]


def uav20l_entries() -> list[SequenceEntry]:
    """Returns where the 20 sequences of UAV20L lie: videos of UAV123 to their last image."""
    data = _data("uav")
    last = {**data["whole"], **{folder: parts[-1][-1] for folder, parts in data["parts"].items()}}
    return [_uav_entry("UAV20L", name, name, 1, last[name]) for name in sorted(data["uav20l"])]


def _uav_entry(boxes: str, name: str, folder: str, first: int, last: int) -> SequenceEntry:
    return SequenceEntry(f"uav_{name}", f"data_seq/UAV123/{folder}", f"anno/{boxes}/{name}.txt", first, last)


def _uav(title: str, root: Path | None, entries: list[SequenceEntry], shortened: bool) -> SequenceList:
    rules = Rules(missing=True, shortened=shortened)
    return _listed(title, benchmark_root(root, "uav_dir"), entries, "uav_dir", rules)


def _listed(title: str, root: Path, entries: list[SequenceEntry], path_name: str, rules: Rules) -> SequenceList:
    return read_entries(f"{title}_shortened" if rules.shortened else title, root, entries, path_name, rules)


def nfs(root: Path | None = None) -> SequenceList:
    """Returns NfS at 30 frames/s: H. K. Galoogahi et al., Need for Speed, ICCV 2017; 100 sequences.

    Layout, pytracking's: ``<nfs_dir>/sequences/<sequence>/00001.jpg``, ``<nfs_dir>/anno/nfs_<sequence>.txt`` with
    x, y, w, h for each image. The names are those of the files in ``anno``.
    """
    folder = benchmark_root(root, "nfs_dir")
    files = sorted((folder / "anno").glob("nfs_*.txt"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no ground truth such as anno/nfs_Gymnastics.txt; check nfs_dir")
    names = [file.stem for file in files]
    entries = [SequenceEntry(name, f"sequences/{name.removeprefix('nfs_')}", f"anno/{name}.txt") for name in names]
    return read_entries("nfs", folder, entries, "nfs_dir")


def lasot(root: Path | None = None) -> SequenceList:
    """Returns LaSOT's test split: H. Fan et al., LaSOT, CVPR 2019; 280 sequences.

    Layout: ``<lasot_dir>/<class>/<class>-<number>/img/00000001.jpg``, beside ``img``: ``groundtruth.txt``,
    ``full_occlusion.txt``, ``out_of_view.txt``. Frames that these flag do not show the target.
    """
    from ltr.dataset.lasot import lasot_test_split  # imports torch, as a data set to learn from

    entries = []
    for kind, numbers in lasot_test_split().items():
        for number in numbers:
            folder = f"{kind}/{kind}-{number}"
            hidden = (f"{folder}/full_occlusion.txt", f"{folder}/out_of_view.txt")
            boxes = f"{folder}/groundtruth.txt"
            entries.append(SequenceEntry(f"{kind}-{number}", f"{folder}/img", boxes, hidden=hidden, target=kind))
    return read_entries("lasot", benchmark_root(root, "lasot_dir"), entries, "lasot_dir")


def trackingnet(root: Path | None = None) -> SequenceList:
    """Returns TrackingNet's test split: M. Mueller et al., TrackingNet, ECCV 2018; 511 sequences.

    Layout: ``<trackingnet_dir>/TEST/frames/<sequence>/0.jpg``, ``<trackingnet_dir>/TEST/anno/<sequence>.txt``. Only the
    first boxes are published: results go to the benchmark's server.
    """
    folder = benchmark_root(root, "trackingnet_dir", "TEST")
    names = sorted(file.stem for file in (folder / "anno").glob("[!.]*.txt"))
    entries = [SequenceEntry(name, f"frames/{name}", f"anno/{name}.txt") for name in names]
    return read_entries("trackingnet", folder, entries, "trackingnet_dir", Rules(first_box_only=True))


def got10k_val(root: Path | None = None) -> SequenceList:
    """Returns GOT-10k's validation split: L. Huang, X. Zhao, K. Huang, GOT-10k, PAMI 2021; 180 sequences.

    Layout: ``<got10k_val_dir>/list.txt``, ``<got10k_val_dir>/<sequence>/00000001.jpg``, ``groundtruth.txt`` and
    ``cover.label`` beside the images.
    """
    return _got10k("got10k_val", benchmark_root(root, "got10k_val_dir", "val"), "got10k_val_dir", Rules())


def got10k_test(root: Path | None = None) -> SequenceList:
    """Returns GOT-10k's test split, 180 sequences in ``<got10k_dir>/test``; see :func:`got10k_val`.

    Only the first boxes are published: results go to the benchmark's server.
    """
    folder = benchmark_root(root, "got10k_dir")
    folder = folder.parent if folder.name == "train" else folder
    folder = benchmark_root(folder, "got10k_dir", "test")
    return _got10k("got10k_test", folder, "got10k_dir", Rules(first_box_only=True))


def _got10k(title: str, folder: Path, path_name: str, rules: Rules) -> SequenceList:
    names = listed_names(folder, path_name)
    entries = [SequenceEntry(name, name, f"{name}/groundtruth.txt", cover=f"{name}/cover.label") for name in names]
    return read_entries(title, folder, entries, path_name, rules)


def vot(root: Path | None = None, year: int | None = None) -> SequenceList:
    """Returns the sequences of a VOT challenge, 2013 to 2019: M. Kristan et al., PAMI 2016.

    Layout: ``<vot_dir>/list.txt``, ``<vot_dir>/<sequence>/groundtruth.txt`` with boxes or polygons, images
    ``00000001.jpg`` beside it, or since 2018 in ``color``. Boxes are the smallest around the polygons.

    Args:
        root: the directory of the challenge, or of several, each in a folder such as ``vot2018``.
        year: of the challenge; None: the directory holds the sequences of one.
    """
    folder = benchmark_root(root, "vot_dir")
    title = "vot" if year is None else f"vot{year}"
    if year is not None:
        inside = [path for path in folder.iterdir() if path.name.lower() == title]
        if not inside and str(year) not in folder.name:
            raise FileNotFoundError(f"{folder} holds no folder {title}, nor is it named so; check vot_dir")
        folder = inside[0] if inside else folder
    entries = []
    for name in listed_names(folder, "vot_dir"):
        images = f"{name}/color" if path_below(folder, f"{name}/color", "list.txt", folders=True).is_dir() else name
        entries.append(SequenceEntry(name, images, f"{name}/groundtruth.txt"))
    return read_entries(title, folder, entries, "vot_dir", Rules(polygons=True))


def _data(name: str) -> dict[str, Any]:
    data: dict[str, Any] = read_json(Path(__file__).parent / "data" / f"{name}.json")
    return data
