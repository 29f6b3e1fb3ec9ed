"""Runs before the program in the executable: leaves out what nobody uses.

numpy's library for linear algebra, which is never called, keeps memory for each core, so it gets
one. Qt's OpenGL modules have stand-ins: pyqtgraph imports them for a way of drawing that is never
switched on here (see trims.py), and they are 11 MB of the executable, and as much of the memory.
"""

import os
import sys
import types


def _stand_in(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__doc__ = "Left out of the executable."
    sys.modules[name] = module
    return module


def _widget(name: str) -> type:
    """The one class that is derived from while importing; made late, so that no verb loads Qt."""
    if name != "QOpenGLWidget":
        raise AttributeError(name)
    from PySide6.QtWidgets import QWidget

    return type(name, (QWidget,), {})


os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
_stand_in("PySide6.QtOpenGL")
_stand_in("PySide6.QtOpenGLWidgets").__getattr__ = _widget
