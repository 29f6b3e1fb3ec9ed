"""What the executable leaves out, by name; a test keeps it apart from what the program imports.

`excludes` alone does not keep Qt's libraries out (pyinstaller#8672), so files are dropped by
name after the analysis too.
"""

from __future__ import annotations

import re

EXCLUDED_MODULES = (
    "tkinter", "_tkinter", "sqlite3", "lib2to3", "idlelib", "turtledemo", "ensurepip",
    "ssl", "_ssl", "_hashlib", "pytest", "_pytest", "setuptools", "pip", "pkg_resources",
    *(f"PySide6.{name}" for name in (
        "QtNetwork", "QtQml", "QtQuick", "QtQuickWidgets", "QtQuickControls2", "QtDesigner",
        "QtHelp", "QtSql", "QtPrintSupport", "QtTest", "QtUiTools", "QtConcurrent", "QtXml",
        "QtOpenGL", "QtOpenGLWidgets",  # lean_hook.py stands in
    )),
    *(f"pyqtgraph.{name}" for name in ("opengl", "examples", "flowchart", "console", "jupyter")),
    "numpy.f2py", "numpy.testing", "numpy.distutils",
    "OpenGL", "scipy", "matplotlib", "PIL", "numba", "cupy", "h5py", "pandas", "IPython",
)  # fmt: skip

# Loaded by name at run time, invisible to the analysis.
HIDDEN_MODULES = (
    "PySide6.QtSvg",
    # The codecs of the text column.
    *(f"encodings.{name}" for name in ("cp037", "cp437", "cp932", "utf_16_be", "utf_16_le")),
)

# Software OpenGL: widgets and the plots' raster painting need none (useOpenGL stays off).
_DROPPED = re.compile(
    r"(^|/)("
    r"opengl32sw\.dll|d3dcompiler_47\.dll|libcrypto[^/]*|libssl[^/]*"
    r"|Qt6(Qml|Quick|Pdf|VirtualKeyboard|Network|Sql|PrintSupport|Test|Designer|Help|Concurrent|Xml|OpenGL)[^/]*"
    r"|QtOpenGL(Widgets)?\.(pyd|abi3\.so)"
    r"|pyqtgraph/icons/peegee/peegee_[^/]*\.png"
    r"|translations/.*"
    r"|plugins/(tls|networkinformation|generic|platforminputcontexts|qmltooling|sqldrivers"
    r"|printsupport|position|multimedia|designer)/.*"
    r"|plugins/imageformats/(?!q(ico|svg)\.)[^/]*"
    r"|plugins/platforms/(?!q(windows|offscreen|xcb)\.|libq(xcb|offscreen|wayland)).*"
    r")$",
    re.IGNORECASE,
)


def dropped(name: str) -> bool:
    """Whether a collected file is left out of the executable."""
    return bool(_DROPPED.search(name.replace("\\", "/")))
