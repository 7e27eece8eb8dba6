"""The report as a notebook: every cell shows something, text has its numbers, and run again it shows the same."""

import os
import shutil

import nbformat
import pytest
from conftest import ROOT, rewrite_settings
from nbclient import NotebookClient

from lib.render.notebook import write_notebook

CHAPTERS = {
    "index.qmd": """# One page {.unnumbered}

```{python}
#| echo: false
from lib.report import load, read, say, show

study = load()
```

::: {.answer}
`{python} say(study, "decision", "answer")`
:::

```{python}
show(study, "people")
```

`{python} read(study, "people")` (@fig-people, @sec-more) After @kleinberg2017.
""",
    "chapters/more.qmd": """# More {#sec-more}

```{python}
#| echo: false
from lib.report import load, read, say, show

study = load()
```

## What can be done

::: {.content-visible when-format="typst"}
Only on paper.
:::

```{python}
show(study, "options")
```

```{python}
show(study, "weightings")
```

Try it:

```{python}
show(study, "slider")
```

AP
: A view.
""",
}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook of a book of two chapters on the published study, and the folder of its project."""
    root = tmp_path_factory.mktemp("project")
    for name in ("_quarto.yml", "_brand.yml"):
        shutil.copy(ROOT / name, root)
    for name in ("lib", "data"):
        (root / name).symlink_to(ROOT / name)
    (root / "chapters").mkdir()
    shutil.copy(ROOT / "chapters/references.bib", root / "chapters")
    for name, text in CHAPTERS.items():
        (root / name).write_text(text, "utf-8")
    rewrite_settings(root, chapters='["chapters/more.qmd"]', appendices="[]")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COHORT", raising=False)
        return nbformat.read(write_notebook(root), 4), root


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_text_figures_tables_and_their_numbers_are_inside(notebook):
    cells = notebook[0].cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert "\n> " in text and "(Figure\N{NO-BREAK SPACE}1, Chapter\N{NO-BREAK SPACE}1) After Kleinberg" in text
    assert "# 1 More" in text and "## 1.1 What can be done" in text and "- **AP**: A view." in text
    assert "# References" in text
    assert not any(left in text for left in (":::", "{python}", "{#", "Only on paper", "HERE", "Try it"))
    shown = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", [])]
    assert any("<svg" in html and "<strong>Figure\N{NO-BREAK SPACE}1.</strong>" in html for html in shown)
    assert any("(Kish 1965)" in html for html in shown) and not any("[@" in html for html in shown)
    assert any("<table" in html and "<strong>Table\N{NO-BREAK SPACE}1.1.</strong>" in html for html in shown)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_every_cell_shows_something_and_shows_the_same_when_it_is_run_again(notebook):
    before, root = notebook
    code = [cell for cell in before.cells if cell.cell_type == "code"]
    assert len(code) == 4 and all(cell.outputs for cell in code)
    again = nbformat.from_dict(before)
    NotebookClient(again, kernel_name="python3", resources={"metadata": {"path": str(root / "_book")}}).execute()
    for cell, anew in zip(code, [cell for cell in again.cells if cell.cell_type == "code"], strict=True):
        for one, other in zip(cell.outputs, anew.outputs, strict=True):
            assert one.get("text") == other.get("text")
            assert one.get("data", {}).get("text/html") == other.get("data", {}).get("text/html")
