"""Runs inside gdb, for scripts/slots: fields by their names in the debug information, as C rows."""

import os
import re

import gdb

VERSION = os.environ["VERSION"]
MAJOR, MINOR = map(int, VERSION.split("."))
RELEASE = (MAJOR, MINOR)
LAYOUTS = os.path.join(os.environ["TOP"], "tests", "layouts")
HOW = {"": "OWNING", "~": "UNSEEN", "?": "WEAK", "#": "BUFFER", "*": "ITEMS", "%": "STATE", "&": "WORD",
       "!": "TAGGED"}


def lines(name):
    with open(os.path.join(LAYOUTS, name)) as f:
        return [line.strip() for line in f if line.strip() and not line.startswith("#")]


def structure(names):
    for name in names.split(","):
        for prefix in ("", "struct "):
            try:
                return name, gdb.lookup_type(prefix + name).strip_typedefs()
            except gdb.error:
                pass
    return None, None


def member(t, name, base=0):
    """(offset, type) of a field of t, or of the nameless or base structures in it."""
    for f in t.fields():
        here = base + f.bitpos // 8
        if f.name == name:
            return here, f.type
        inner = f.type.strip_typedefs()
        if f.name in (None, "_base", "ob_base") and inner.code in (
                gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            found = member(inner, name, here)
            if found:
                return found
    return None


def field(t, path):
    offset = 0
    for name in path.split("."):
        t = t.strip_typedefs()
        found = member(t, name) if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) else None
        if not found:
            return None, None
        offset += found[0]
        t = found[1]
    return offset, t


def slots():
    rows = {}
    for line in lines("cpython_slots.txt"):
        types, structures, fields = [part.strip() for part in line.split("|")]
        name, t = structure(structures)
        for spec in fields.split() if t is not None else []:
            if spec.endswith("^"):
                if MAJOR > 2:
                    continue
                spec = spec[:-1]
            only = re.search(r"@(\d+)$", spec)
            if only:
                if RELEASE < (3, int(only.group(1))):
                    continue
                spec = spec[:only.start()]
            since = re.search(r"~(\d+)$", spec)
            if since:
                early = RELEASE < (3, int(since.group(1)))
                spec = spec[:since.start()] + ("~" if early else "")
            how = spec[-1] if spec[-1] in HOW else ""
            path, _, edge = spec[:len(spec) - len(how)].partition("=")
            offset, kind = field(t, path)
            if offset is None or (how != "*" and kind.sizeof != 8):
                continue
            for each in types.split(","):
                if each.endswith("^"):
                    if MAJOR > 2:
                        continue
                    each = each[:-1]
                mine = rows.setdefault(each, [])
                if not any(row[0] == offset for row in mine):
                    mine.append((offset, edge, how, name))
    return rows


def visit():
    for line in lines("cpython_visit.txt"):
        name, places = line.split()
        value = None
        for place in places.split(","):
            struct, path = place.lstrip("@").split(".", 1)
            _, t = structure(struct)
            offset, kind = field(t, path) if t is not None else (None, None)
            if offset is not None:
                value = kind.strip_typedefs().sizeof // 8 if place[0] == "@" else offset
                break
        yield name, value


def enumerator(name, otherwise):
    try:
        return int(gdb.parse_and_eval(name))
    except gdb.error:
        return otherwise


def main():
    tag = f"{MAJOR}_{MINOR}"
    fields = dict(visit())
    with open(os.environ["OUT"], "w") as f:
        print(f"/* CPython {VERSION}: fields of builtin and standard types, by its DWARF: "
              "scripts/slots. */", file=f)
        print('#include "layout/cpython_impl.h"\n', file=f)
        print(f"const struct cpython_slot cpython_slots_{tag}[] = {{", file=f)
        for kind, rows in sorted(slots().items()):
            if rows:
                print(f"\t/* {rows[0][3]} */", file=f)
            for offset, edge, how, _ in sorted(rows):
                print(f'\t{{"{kind}", "{edge}", {offset}, CPYTHON_SLOT_{HOW[how]}}},', file=f)
        print("\t{0},\n};\n", file=f)
        print(f"const struct cpython_visit_layout cpython_visit_{tag} = {{", file=f)
        print(f"\t.instances_visit_type = {str(RELEASE >= (3, 9)).lower()},", file=f)
        # Objects/dictobject.c, PyObject_VisitManagedDict: changed in 3.15, 3.14.4 and 3.13.13
        since = {13: "13", 14: "4"}.get(MINOR, "0" if RELEASE >= (3, 15) else "CPYTHON_NEVER")
        print(f"\t.dict_visits_inline_since = {since},", file=f)
        if fields["lru_key"] is not None:
            print(f"\t.lru_visits_links = {str(RELEASE < (3, 7)).lower()},", file=f)
        if fields["iframe_owner"] is not None:
            # internal/pycore_frame.h: FRAME_OWNED_BY_FRAME_OBJECT, FRAME_CLEARED
            print("\t.iframe_owner_object = 2,", file=f)
            print(f"\t.generator_cleared = {enumerator('FRAME_CLEARED', 4)},", file=f)
            if RELEASE >= (3, 12):
                print("\t.generator_keeps_code = true,", file=f)
            print(f"\t.iframe_tagged = {str(RELEASE >= (3, 14)).lower()},", file=f)
        for name, value in fields.items():
            print(f"\t.{name} = {'CPYTHON_NONE' if value is None else value},", file=f)
        print("};", file=f)


main()
