# CPython's own switch that lets any extension module into any interpreter, and with it whatever such a module
# shares. Taken from the module there is and from fresh ones, in case somebody took it out of that.
def attack(arena):
    for copy in _copies():
        if hasattr(copy, "_override_multi_interp_extensions_check"):
            copy._override_multi_interp_extensions_check(-1)
            return "switched it off"
    raise AttributeError("no copy of _imp has it")


def _copies():
    import importlib.machinery
    import importlib.util
    import sys

    import _imp

    yield _imp
    spec = importlib.machinery.ModuleSpec("_imp", importlib.machinery.BuiltinImporter, origin="built-in")
    yield _imp.create_builtin(spec)
    yield importlib.util.module_from_spec(spec)
    yield importlib.reload(_imp)
    del sys.modules["_imp"]
    yield importlib.import_module("_imp")
