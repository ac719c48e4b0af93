"""The reader of Markdown that the documentation tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from docs.markdown import anchors, blocks, links, prose

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """# Title of `it`

See [above](#title-of-it), [a file](other.md#part "named") and `[no](link)`.

```python
x = "[not](a-link)"
```

<!-- no-run: it would wait for ever -->

  ```python
  while True:
      pass
  ```

~~~
# no heading
~~~

## Title of it
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with everything in it."""
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_blocks_have_their_place_language_and_reason(page: Path) -> None:
    """Indented ones lose their indentation; a reason belongs to the next block only."""
    first, second, third = blocks(page)

    assert (first.line, first.language, first.no_run) == (6, "python", None)
    assert (second.language, second.no_run) == ("python", "it would wait for ever")
    assert second.text == "while True:\n    pass\n"
    assert (third.language, third.no_run) == ("", None)


def test_a_block_without_an_end_is_an_error(tmp_path: Path) -> None:
    """Everything behind it would be taken for code."""
    path = tmp_path / "page.md"
    path.write_text("```python\nx = 1\n", encoding="utf-8")

    with pytest.raises(ValueError, match="never ends"):
        list(blocks(path))


def test_code_is_no_prose(page: Path) -> None:
    """Links and headings are looked for outside code only."""
    assert links(page) == ["#title-of-it", "other.md#part"]
    assert anchors(page) == {"title-of-it", "title-of-it-1"}
    assert "while True" not in prose(page)
    assert "no heading" not in prose(page)
