# Code in the main interpreter, or in a sibling: by each way to the modules that reach there.
def attack(arena):
    import importlib
    import importlib.machinery
    import importlib.util
    import sys
    import types

    import _imp

    def forged(name):
        return types.SimpleNamespace(name=name, origin="built-in", loader=importlib.machinery.BuiltinImporter)

    def again(name):
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    ways = [
        importlib.import_module,
        __import__,
        again,
        lambda name: _imp.create_builtin(forged(name)),
        lambda name: importlib.machinery.BuiltinImporter.load_module(name),
        lambda name: importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, importlib.machinery.BuiltinImporter)),
        lambda name: next(m for m in sys.modules.values() if getattr(m, "__name__", "") == name),
    ]
    last = Failed("no such module is left")
    for name in ("_interpreters", "_xxsubinterpreters", "_interpchannels", "_interpqueues", "_testinternalcapi"):
        for way in ways:
            try:
                module = way(name)
                if hasattr(module, "list_all"):
                    return f"{name} lists {module.list_all()}"
            except BaseException as error:
                last = error
    try:
        from test.support import interpreters

        return f"lists {interpreters.list_all()}"
    except BaseException as error:
        last = error
    raise last
