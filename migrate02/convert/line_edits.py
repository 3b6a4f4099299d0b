"""A text made another one by edits of whole lines, so that all else in the file around it stays. Pure."""

from __future__ import annotations

from migrate02.formats.view import Edit, View


def line_edits(view: View, after: str) -> list[Edit]:
    """The edits of whole lines that make a text another one; a line end is never the last of what is written."""
    from migrate02.convert.differences import opcodes  # late: few files need it

    old, new = _lines(view.text), _lines(after)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    edits = []
    for tag, i1, i2, j1, j2 in opcodes(old, new):
        said = "".join(new[j1:j2]).removesuffix("\n")
        if tag == "insert" and i1:
            edits.append(view.edit(starts[i1] - 1, starts[i1] - 1, "\n" + said))
        elif tag == "insert":
            edits.append(view.edit(0, 1, f"{said}\n{view.text[:1]}"))
        elif tag == "replace":
            end = starts[i2] - 1 if old[i2 - 1].endswith("\n") else starts[i2]
            edits.append(view.edit(starts[i1], end, said))
        elif tag == "delete":
            edits.append(view.edit(starts[i1], starts[i2], ""))
    return edits


def _lines(text: str) -> list[str]:
    """With their ends. Only ``\\n`` ends a line: others may stand in a comment."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
