"""The table of event kinds (service/webhook/webhook_kind.c) has each kind that the service writes, and no other: a pattern of a webhook
that matches none of them is refused."""

import pathlib
import re

SERVICE = pathlib.Path(__file__).resolve().parents[2] / "src/service"
TABLE = SERVICE / "webhook/webhook_kind.c"
KIND = re.compile(r'"([a-z]+\.[a-z]+(?:-[a-z]+)*)"')
# Texts of that form which are no event: names of verbs, events of the log, and these.
OTHERWISE = re.compile(r'\.name = "|const struct verb |_VERB\(|log_err\(|store_sequence_next|"opsman\.admin"|\.kind = "webhook\.test"')
MADE_UP = {  # a kind that is put together: what is put in, and where that is listed
    "binding.%s": (SERVICE.parent / "store/binding.c", r"BINDING_ACK_NAMES\[\] = \{([^}]*)\}"),
    "engine.%s": (SERVICE.parent / "engine/wait.c", r"acts\[\] = \{([^}]*)\}"),
}
WITHOUT_A_DOT = {"freeze", "thaw"}


def written():
    kinds, made_up = set(WITHOUT_A_DOT), set()
    for p in SERVICE.rglob("*.c"):
        if p != TABLE:
            for line in p.read_text().splitlines():
                kinds.update(KIND.findall(line) if not OTHERWISE.search(line) else [])
                made_up.update(re.findall(r'"([a-z]+\.%s)"', line))
    assert made_up == MADE_UP.keys()
    for form, (path, pattern) in MADE_UP.items():
        kinds.update(form % name for name in re.findall(r'"([a-z-]*)"', re.search(pattern, path.read_text()).group(1)) if name)
    return kinds


def test_the_table_has_each_kind():
    listed = re.findall(r'"([^"]+)"', re.search(r"WEBHOOK_KINDS\[\] = \{(.*?)\n\};", TABLE.read_text(), re.S).group(1))
    assert listed == sorted(written()), f"{TABLE.name} and the source differ: {set(listed) ^ written()}"
