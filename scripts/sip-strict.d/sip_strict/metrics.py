# SPDX-License-Identifier: GPL-2.0-only
"""metrics: OpenMetrics text, for node_exporter's textfile collector or any scraper."""

import os
import tempfile

from . import UserError, core, module

VERDICTS = {"both_heard": "both_heard", "one_way_inside": "inside_not_heard", "one_way_outside": "outside_not_heard",
            "refused_source": "refused_other_source", "neither_heard": "neither_heard", "not_judged": "not_judged"}
PLAIN = ("edit_failed",)        # a counter of its own, no field


def _family(name, kind, text, samples):
    return {"name": "sip_strict_" + name, "type": kind, "help": text, "samples": samples}


def _sample(value, **labels):
    return {"labels": labels, "value": value}


def _counters(stat):
    found = []
    for prefix, name, label, text in (("edit_", "edits", "field", "Fields that were changed."),
                                      ("skip_", "skips", "reason", "Reasons for which something was not changed.")):
        samples = [_sample(value, **{label: key[len(prefix):]}) for key, value in stat.items()
                   if key.startswith(prefix) and key not in PLAIN]
        found.append(_family(name, "counter", text, samples))
    found.append(_family("calls_ended_by_verdict", "counter", "Calls that ended, by who was heard.",
                         [_sample(stat[key], verdict=verdict) for key, verdict in VERDICTS.items() if key in stat]))
    for key, value in stat.items():
        if key.startswith(("edit_", "skip_")) and key not in PLAIN or key in VERDICTS or key.endswith("_now"):
            continue
        text = core.counter_text(key)
        found.append(_family(key, "counter", text[0].upper() + text[1:] + ".", [_sample(value)]))
    for key, value in stat.items():
        if key.endswith("_now"):
            found.append(_family(key, "gauge", f"Present number of {key[:-4]}.", [_sample(value)]))
    return found


def _calls(calls):
    live = {verdict: 0 for verdict in module.VERDICTS}
    packets = {"out": 0, "in": 0}
    refused = 0
    states = {"new": 0, "early": 0, "confirmed": 0}
    for call in calls:
        if call.get("kind") != "call":
            continue
        states[call["state"]] = states.get(call["state"], 0) + 1
        live[call["verdict"]] = live.get(call["verdict"], 0) + 1
        for stream in call["media"]:
            packets["out"] += stream["packets_out"]
            packets["in"] += stream["packets_in"]
            refused += stream.get("refused") or 0
    regs = [one for one in calls if one.get("kind") != "call"]
    return [
        _family("live_calls", "gauge", "Live calls, by state.",
                [_sample(value, state=state) for state, value in states.items()]),
        _family("live_calls_by_verdict", "gauge", "Live calls, by who is heard.",
                [_sample(value, verdict=verdict) for verdict, value in live.items()]),
        _family("live_media_packets", "gauge", "Media packets of the live calls, by direction.",
                [_sample(value, direction=way) for way, value in packets.items()]),
        _family("live_media_refused", "gauge", "Media packets of the live calls that media_peer refused.",
                [_sample(refused)]),
        _family("live_beyond", "gauge", "Live calls and registrations with another NAT or ALG in the path.",
                [_sample(sum(1 for one in calls if one.get("other_nat")), kind="nat"),
                 _sample(sum(1 for one in calls if one.get("other_alg")), kind="alg")]),
        _family("live_registrations", "gauge", "Live registrations and subscriptions.",
                [_sample(sum(1 for one in regs if one["kind"] == kind), kind=kind)
                 for kind in ("registration", "subscription")]),
    ]


def collect(system, _options):
    """All families; without the module only that it is not there."""
    up = module.loaded(system)
    families = [_family("up", "gauge", "Whether the module is loaded in this namespace.", [_sample(int(up))])]
    if up:
        settings = module.settings(system)
        families.append(_family("mode", "gauge", "0 off, 1 strict, 2 observe.",
                                [_sample(int(settings.get("mode", 1)))]))
        families.append(_family("version", "gauge", "1, with the version of the module.",
                                [_sample(1, version=module.version(system) or "unknown")]))
        families += _counters(module.counters(system)) + _calls(module.calls(system))
    return {"families": families}


def _labels(labels):
    if not labels:
        return ""
    return "{" + ",".join('{}="{}"'.format(key, str(value).replace("\\", r"\\").replace('"', r'\"').replace("\n", r"\n"))
                          for key, value in labels.items()) + "}"


def text(data):
    """OpenMetrics 1.0, in the subset that Prometheus' older text format reads too: no info type."""
    lines = []
    for family in data["families"]:
        name, suffix = family["name"], "_total" if family["type"] == "counter" else ""
        escaped = family["help"].replace("\\", r"\\").replace("\n", r"\n").replace('"', r'\"')
        lines += [f"# TYPE {name} {family['type']}", f"# HELP {name} {escaped}"]
        lines += [f"{name}{suffix}{_labels(one['labels'])} {one['value']}" for one in family["samples"]]
    return "\n".join(lines + ["# EOF"])


def write(path, content):
    """A file that a reader sees whole or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        fd, temporary = tempfile.mkstemp(dir=folder, prefix=".sip-strict-")
        with os.fdopen(fd, "w", encoding="utf-8") as handle:
            handle.write(content + "\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as err:
        raise UserError(f"{path}: {err.strerror}") from None
