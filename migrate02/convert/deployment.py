"""Many files as one deployment: which of them make up one configuration, and what comes of all of them. Pure.

A unit and its environment file are one, and so are a script and the defaults that it takes in, a unit and its drop-ins,
a start of etcd and 0.4's own file: flags over variables over files, as they would run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from compat.flags04 import BY_NAME
from compat.settings import Given, first_wins
from migrate02.convert import inputs
from migrate02.convert.clusters import KnownCluster, Member, known_clusters, member_of
from migrate02.convert.conversion import Conversion, Options
from migrate02.convert.documents import convert_document
from migrate02.convert.drop_ins import Units, join
from migrate02.convert.incomplete import with_incomplete_lists
from migrate02.convert.refused_parts import left_with_refused
from migrate02.convert.rewriting import members_from_files, rewrite_all
from migrate02.convert.setup_files import SettingsFile, is_whole, merged, named_files
from migrate02.convert.system_files import (
    SYSTEM_FILE,
    is_called_as_the_system_file,
    without_settings,
    would_read_system_file,
)
from migrate02.formats import settings
from migrate02.formats.detection import Detected
from migrate02.formats.document import Document, UnusableInput
from migrate02.formats.reading import ENVIRONMENT, Reading, Setup
from migrate02.formats.view import View

Progress = Callable[[int], None]
"""Hears how many files are done."""


class DescribedNode(NamedTuple):
    """One etcd of the deployment. ``given`` are its settings as they would run, each with its origin; ``files`` are
    those that they come from, the one that starts it first; ``setup`` is None for a file of settings by itself.
    ``host`` is its host's name where the files say it, which 0.4 took for its name. It is ``whole`` when nothing may
    be set elsewhere."""

    name: str
    files: tuple[str, ...]
    given: Mapping[str, Given]
    setup: Setup | None
    host: str = ""
    whole: bool = True

    @property
    def member(self) -> Member:
        if self.setup is None:
            return member_of(self.given, self.host, self.name)
        return member_of(self.given, self.host, self.name, self.setup.resolve)


class Deployment:
    """``texts`` are the files by their paths; ``named`` those of them that somebody named; ``unreadable`` are further
    ones, whose texts cannot be had."""

    def __init__(
        self,
        texts: Mapping[str, str],
        named: Collection[str],
        options: Options,
        unreadable: Collection[str] = (),
    ) -> None:
        plain = {name: inputs.without_mark(text) for name, text in texts.items()}
        self.texts = {name: text for name, (text, _) in plain.items()}
        self._marks = {name: mark for name, (_, mark) in plain.items() if mark}
        self.options = options
        self.readings: dict[str, Reading] = {}
        self.documents: dict[str, Document] = {}
        self.conversions: dict[str, Conversion] = {}
        self._taken: set[str] = set()
        self._unreadable = frozenset(unreadable)
        self._names = self._unreadable.union(texts)
        self._sourced: dict[str, set[str]] = {}
        self._units = Units(())
        self._refused: frozenset[str] = frozenset()
        self._named = named
        self._by_itself: dict[str, Detected] = {}
        self._views: dict[str, View] = {}
        self._read_as_settings: dict[str, Document | None] = {}
        # Most runs have no file that 0.4 would have read unasked, which is then looked for beside no start.
        self._may_have_system_file = any(map(is_called_as_the_system_file, self._names))

    def read(self, progress: Progress = lambda _done: None) -> None:
        for done, (name, text) in enumerate(self.texts.items(), 1):
            self._read(name, text)
            progress(done)
        self._units = Units(self.readings)
        join(self.readings, self._units)
        self._refused = frozenset(filter(self._is_refused, self._names))
        for name, reading in self.readings.items():
            for setup in reading.setups:
                self._taken.update(file.name for file in self.files_of(name, setup))
        for name, detected in self._by_itself.items():
            if name in self._taken or self.options.kind or not detected.has_settings:
                continue
            document = self._document(name)
            if document is not None and document.given:
                self.documents[name] = document

    def _read(self, name: str, text: str) -> None:
        def sourced(path: str) -> View | None:
            found = self.find(path, name, self._names)
            if found is not None:
                self._sourced.setdefault(name, set()).add(found)
            if found not in self.texts:
                return None
            self._taken.add(found)
            if found not in self._views:
                self._views[found] = View(self.texts[found], found)
            return self._views[found]

        try:
            detected = inputs.detected_in(text, name, self.options, sourced)
        except UnusableInput as error:
            self.conversions[name] = inputs.unusable(name, text, error, self.options)
            return
        if detected.reading.is_empty:
            self._by_itself[name] = detected
        else:
            self.readings[name] = detected.reading

    def find(self, path: str, beside: str, among: Collection[str] | None = None) -> str | None:
        """The file that a machine has at ``path``, as one of these, for the configuration in ``beside``: below a folder
        that stands for the machine's root, or next to it under the same name. ``among`` are the texts if not given."""
        among = self.texts if among is None else among
        folder = posixpath.dirname(beside)
        if not posixpath.isabs(path):
            near = posixpath.normpath(posixpath.join(folder, path))
            return near if near in among else None
        root = folder
        while True:
            there = posixpath.join(root, path.lstrip("/"))
            if there in among and there != beside:
                return there
            if root == posixpath.dirname(root):
                break
            root = posixpath.dirname(root)
        if path in self._named and path in among:  # this machine's own
            return path
        near = posixpath.join(folder, posixpath.basename(path))
        return near if near in among and near != beside else None

    def files_of(self, name: str, setup: Setup) -> Sequence[SettingsFile]:
        """The files that a setup takes its settings from, the strongest first; 0.4's own last, named or not."""
        variables = frozenset(file.path for file in setup.files if file.kind == ENVIRONMENT)
        found = [
            file
            for path in named_files(setup)
            if (file := self._settings_file(path, name, of_variables=path in variables)) is not None
        ]
        if self._may_have_system_file and would_read_system_file(setup):
            system = self._settings_file(SYSTEM_FILE, name)
            if system is not None and system.document.whole:
                found.append(system)
        return found

    def _settings_file(self, path: str, beside: str, *, of_variables: bool = False) -> SettingsFile | None:
        """A file ``of_variables`` need not hold any of etcd's."""
        name = self.find(path, beside)
        document = self._document(name) if name is not None else None
        if name is not None and document is None and of_variables:
            document = without_settings(self.texts[name], name)
        return SettingsFile(name, document, path) if name is not None and document is not None else None

    def _document(self, name: str) -> Document | None:
        """Read once: many may take it in."""
        if name not in self._read_as_settings:
            self._read_as_settings[name] = self._settings_of(name)
        return self._read_as_settings[name]

    def _settings_of(self, name: str) -> Document | None:
        detected = self._by_itself.get(name)
        if detected is not None and detected.format is None and not self.options.kind:
            document = detected.document
        else:
            try:
                document = settings.read(self.texts[name], name, self.options.era)
            except UnusableInput:
                return None
        return document if document is not None and document.form in ("env", "toml") else None

    def _parts_of(self, name: str) -> set[str]:
        """All files of the run that a file's starts take settings from, those that cannot be used among them."""
        parts = set(self._sourced.get(name, ()))
        for setup in self.readings[name].setups:
            paths = named_files(setup) + [SYSTEM_FILE] * would_read_system_file(setup)
            parts.update(found for path in paths if (found := self.find(path, name, self._names)))
        return parts

    def _refused_parts(self, refused: Collection[str]) -> dict[str, set[str]]:
        """Those of the ``refused`` that belong to a file, by its name."""
        if not refused:  # as in most runs
            return {}
        parts = {name: self._parts_of(name).intersection(refused) for name in self.readings}
        for name in refused:
            if unit := self._units.of(name):
                parts[unit].add(name)
        return parts

    def _is_refused(self, name: str) -> bool:
        """Whether it is, whatever it belongs to."""
        if name in self.conversions:
            return self.conversions[name].refused
        refusal = self._by_itself[name].refusal if name in self._by_itself else None
        if refusal is None:
            return name in self._unreadable
        return inputs.unusable(name, self.texts[name], refusal, self.options).refused

    def nodes(self) -> Iterator[DescribedNode]:
        """Every etcd that is set up, with its settings as they would run."""
        torn = {name for name, parts in self._refused_parts(self._refused).items() if parts}
        for name, reading in self.readings.items():
            for setup in reading.setups:
                files = self.files_of(name, setup)
                views = (setting.view.name for setting in (*setup.flags, *setup.variables))
                names = dict.fromkeys([name, *views, *(file.name for file in files)])
                whole = name not in torn and is_whole(setup, files)
                yield DescribedNode(name, tuple(names), merged(setup, files), setup, setup.host, whole)
        for name, document in self.documents.items():
            yield DescribedNode(name, (name,), first_wins(document.given), None)

    def clusters(self) -> dict[tuple[str, int], KnownCluster]:
        """The clusters that nodes are known to form, by file and the line of their start."""
        if self.options.initial_cluster:
            return {}
        members = {
            (node.name, node.setup.line if node.setup is not None else 0): node.member
            for node in self.nodes()
            if node.whole and all(name in BY_NAME for name in node.given)
        }
        return known_clusters(members)

    def convert(self) -> list[Conversion]:
        """What comes of every file that is about etcd, in the order of ``texts``."""
        clusters = self.clusters()

        def cluster_of(name: str, setup: Setup) -> KnownCluster | None:
            return clusters.get((name, setup.line))

        done = self.conversions | rewrite_all(
            self.readings, self.texts, self.options, self.files_of, cluster_of
        )
        for name, detected in self._by_itself.items():
            if name in done or (name in self._taken and name not in self._named):
                continue
            document = self.documents.get(name)
            if document is not None:
                done[name] = self._convert_document(name, document, clusters.get((name, 0)))
            elif name not in self._taken:
                done[name] = inputs.convert_settings(self.texts[name], name, self.options, detected)
        refused = self._refused.union(name for name, item in done.items() if item.refused)
        done = left_with_refused(done, self._refused_parts(refused))
        conversions = with_incomplete_lists(done[name] for name in self.texts if name in done)
        return [inputs.with_mark(item, self._marks.get(item.name, "")) for item in conversions]

    def _convert_document(self, name: str, document: Document, cluster: KnownCluster | None) -> Conversion:
        options = self.options
        if cluster is not None:
            members = members_from_files(cluster, name, 0)
            document = document._replace(findings=[*document.findings, *members])
            options = options._replace(initial_cluster=cluster.initial_cluster)
        return convert_document(document, name, self.texts[name], options)


def convert_text(text: str, name: str, options: Options) -> Conversion:
    """What comes of one file by itself; ``name`` is what messages call it."""
    alone = Deployment({name: text}, frozenset((name,)), options)
    alone.read()
    (conversion,) = alone.convert()
    return conversion
