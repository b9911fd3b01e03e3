"""The house stands as docs/architecture.md draws it."""

from graphlib import TopologicalSorter

from rooms import PAGE, ROOMS, drawn, imports_of_modules, room_of


def test_a_room_imports_only_rooms_before_it():
    wrong = [
        f"{module} imports {other}"
        for module, imported in imports_of_modules().items()
        for other in imported
        if ROOMS.index(room_of(other)) > ROOMS.index(room_of(module))
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter(imports_of_modules()).prepare()  # raises CycleError, which names the circle


def test_the_diagram_shows_the_imports_as_they_are():
    assert drawn() in PAGE.read_text(encoding="utf-8"), "run: python tests/rooms.py"
