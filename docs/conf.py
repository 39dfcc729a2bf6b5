"""Documentation site: Sphinx reads the Markdown of the whole checkout, ``make docs`` builds it.

The source folder is the checkout itself, so that one relative link works in an editor, on a forge
and on the site, and that the experiments, which hold the evidence, are pages too.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import beatgrid  # noqa: E402

project = "beatgrid"
author = "The beatgrid authors"
copyright = f"{author}, MIT"
version = release = beatgrid.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "data/README.md",
    "experiments/*/*.md",
    "beatgrid/weights/README.md",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [
    *(".*", "build", "dist", "outputs", "tests", "**/__pycache__"),
    *("data/[!R]*", "experiments/**/results/*.md"),
]

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
suppress_warnings = [
    "myst.header",  # a page may begin at a lower heading
    "toc.no_title",  # tables that scripts write, linked from their experiment's page
    "misc.highlighting_failure",  # JSON that is shortened by ...
]

# Signatures show what is written in the source, not what it resolves to.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "beatgrid"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["top"]  # index.html of the folder above this one's pages
html_copy_source = False
html_show_sphinx = False
