"""Windows tools run on other machines, so here their output is read from samples.

Every output that a parser has to recognise has a sample in tests/fixtures/windows_outputs, named
after its file and pattern. It goes through the parser of the binding and the declared schema.
How the tools take values is checked as well: no value may become an option or program text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tool_catalog_pipelines.execution.context import AttemptError
from tool_catalog_pipelines.execution.parsing import check_output, parse_output
from tool_catalog_pipelines.settings import CHECKOUT
from tool_catalog_pipelines.spec.binding import CommandBinding, IfArgument
from tool_catalog_pipelines.spec.load import load_tool, yaml_files
from tool_catalog_pipelines.spec.tool import InputSpec, PatternSpec

SAMPLES = Path(__file__).parents[2] / "fixtures" / "windows_outputs"
TOOLS = CHECKOUT / "catalog_yaml" / "tools" / "windows"


def all_patterns() -> Iterator[tuple[str, PatternSpec]]:
    for path in yaml_files(TOOLS):
        for capability in load_tool(path).spec.capabilities.values():
            for name, pattern in capability.patterns.items():
                yield f"{path.stem}.{name}", pattern


PATTERNS = dict(all_patterns())
TEXTS = sorted(path.stem for path in SAMPLES.glob("*.txt"))
DOCUMENTS = sorted(path.stem for path in SAMPLES.glob("*.json"))


def binding_of(pattern: PatternSpec) -> CommandBinding:
    assert isinstance(pattern.binding, CommandBinding)
    return pattern.binding


def read_sample(file: str) -> Any:
    """The checked value that a pattern gives for its sample, with the line ends of Windows."""
    pattern = PATTERNS[file.rpartition(".")[0]]
    text = (SAMPLES / file).read_text(encoding="utf-8").replace("\n", "\r\n")
    parser = binding_of(pattern).output
    output = parse_output(parser, text.encode())
    check_output(pattern.expected_outputs, output)
    return output[parser.as_]


def matches(part: Any, whole: Any) -> bool:
    """Is a part in the whole? Of objects only the given keys are compared."""
    if isinstance(part, dict) and isinstance(whole, dict):
        fields = cast("dict[str, Any]", whole)
        wanted = cast("dict[str, Any]", part).items()
        return all(key in fields and matches(value, fields[key]) for key, value in wanted)
    return bool(part == whole)


ROWS: list[tuple[str, int, int, dict[str, Any]]] = [
    ("arp.list_neighbours", 2, 0, {"address": "192.0.2.1", "kind": "dynamic"}),
    ("auditpol.list_settings", 2, 1, {"subcategory": "Logon", "inclusion": "Success and Failure"}),
    ("certutil.hash_file", 1, 0, {"hash": "4f15e5a6" * 8}),
    ("dcdiag.run_tests", 3, 1, {"subject": "DC01", "result": "failed", "test": "SystemLog"}),
    ("dism.list_features", 3, 1, {"state": "Disabled with Payload Removed"}),
    ("dism.list_packages", 2, 1, {"state": "Installed", "installed": "4/14/2026 3:10 AM"}),
    ("driverquery.list_drivers", 3, 2, {"Module Name": "Ntfs"}),
    ("fsutil.dirty_bit", 1, 0, {"volume": "C:", "state": "NOT Dirty"}),
    ("fsutil.volume_info", 4, 3, {"field": "File System Name", "value": "NTFS"}),
    ("getmac.list_mac_addresses", 2, 0, {"Physical Address": "00-50-56-AA-BB-01"}),
    ("netsh.firewall_profiles", 10, 1, {"profile": None, "setting": "State", "value": "ON"}),
    ("netsh.wlan_interfaces", 14, 11, {"field": "Signal", "value": "92%"}),
    ("netstat.list_connections", 5, 1, {"foreign_address": "192.0.2.40", "pid": 5120}),
    ("netstat.list_connections", 5, 4, {"proto": "UDP", "local_address": "[::1]", "pid": 3344}),
    ("nltest.locate", 8, 0, {"field": "DC", "value": "\\\\DC01.corp.example"}),
    ("nltest.verify_channel", 3, 2, {"value": "0 0x0 NERR_Success"}),
    ("nslookup.lookup", 6, 4, {"field": None, "value": "198.51.100.80"}),
    ("ping.echo", 3, 0, {"address": "192.0.2.40", "bytes": 32, "time_ms": 1, "ttl": 128}),
    ("ping.echo", 3, 2, {"address": "2001:db8::40", "bytes": None, "ttl": None}),
    ("powercfg.list_plans", 2, 1, {"name": "High performance", "active": "*"}),
    ("query_user.list_sessions", 3, 0, {"current": ">", "session": "rdp-tcp#0", "id": 2}),
    ("query_user.list_sessions", 3, 1, {"session": None, "id": 3, "idle": "1+02:14"}),
    ("reg.query_key", 6, 1, {"type": "REG_SZ", "value": "Windows Server 2022 Standard"}),
    ("reg.query_key", 6, 4, {"name": "Empty Value", "type": "REG_SZ"}),
    ("repadmin.replication_partners", 2, 1, {"source": "DC02", "failures": 3}),
    ("robocopy.copy_new_and_changed", 2, 0, {"path": r"\\fileserver\team\plan 2026.xlsx"}),
    ("robocopy.list_differences", 3, 2, {"action": "*EXTRA File", "bytes": 17}),
    ("sc.configuration", 11, 9, {"field": None, "value": "http"}),
    ("sc.failure_actions", 5, 1, {"field": "RESET_PERIOD (in seconds)", "value": 3600}),
    ("sc.query", 9, 2, {"field": "STATE", "value": "4  RUNNING"}),
    ("tasklist.list_tasks", 4, 3, {"Image Name": "explorer.exe", "Mem Usage": "142,004 K"}),
    ("tasklist.tasks_with_services", 3, 2, {"Services": "RpcEptMapper,RpcSs"}),
    ("tracert.trace", 3, 1, {"hop": 2, "first": "*", "address": "Request timed out."}),
    ("typeperf.sample_one_counter", 2, 1, {"time": "05/04/2026 06:05:02.120", "value": 5008.0}),
    ("vssadmin.list_writers", 6, 4, {"field": "State", "value": "[8] Failed"}),
    ("w32tm.measure_offset", 2, 1, {"offset_s": -0.000421}),
    ("w32tm.query_status", 9, 7, {"field": "Source", "value": "dc01.corp.example"}),
    ("wevtutil.log_status", 7, 5, {"field": "numberOfLogRecords", "value": 41234}),
    ("whoami.show_account", 1, 0, {"User Name": "corp\\svc-catalog"}),
    ("whoami.show_groups", 3, 1, {"SID": "S-1-5-32-544"}),
    ("whoami.show_privileges", 2, 1, {"State": "Enabled"}),
    ("winmgmt.verify_repository", 1, 0, {"state": "is consistent"}),
]  # fmt: skip
ADMINISTRATORS = {"name": "Administrators", "members": ["Administrator", "CORP\\Domain Admins"]}
REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("ipconfig.all_adapters", {"dns_suffix_search_list": ["corp.example"]}),
    ("net_localgroup.list_groups", {"account_origin": "\\\\SRV-APP-01"}),
    ("net_localgroup.list_members", {"groups": [ADMINISTRATORS]}),
    ("net_user.list_accounts", {"account_origin": "\\\\SRV-APP-01"}),
    ("net_user.show_account", {}),
    ("route.print_routes", {}),
    ("systeminfo.overview", {"total_physical_memory_mb": 8191}),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "count", "at", "row"), ROWS)
def test_rows_of_a_program_are_recognised(
    sample: str, count: int, at: int, row: dict[str, Any]
) -> None:
    found = read_sample(f"{sample}.txt")
    assert len(found) == count, found
    assert matches(row, found[at]), found[at]


@pytest.mark.parametrize(("sample", "part"), REPORTS)
def test_a_report_is_recognised(sample: str, part: dict[str, Any]) -> None:
    found = read_sample(f"{sample}.txt")
    assert matches(part, found), found


def test_what_reports_hold_deeper() -> None:
    adapter = read_sample("ipconfig.all_adapters.txt")["adapters"][0]
    assert adapter["ipv4_addresses"][0]["address"] == "192.0.2.20"
    assert adapter["dns_servers"] == ["192.0.2.10", "192.0.2.11"]
    names = [
        user["user_name"] for user in read_sample("net_user.list_accounts.txt")["user_accounts"]
    ]
    assert names == ["Administrator", "DefaultAccount", "Guest", "operator", "WDAGUtilityAccount"]
    user = read_sample("net_user.show_account.txt")["user_accounts"][0]
    assert matches({"user_name": "operator", "account_active": True}, user)
    assert user["local_group_memberships"] == ["Remote Desktop Users", "Users"]
    routes = read_sample("route.print_routes.txt")["ipv4_route_table"]["active_routes"]
    assert matches({"network_destination": "0.0.0.0", "gateway": "192.0.2.1"}, routes[0])


def test_no_matching_task_is_an_empty_list() -> None:
    parser = binding_of(PATTERNS["tasklist.list_tasks"]).output
    said = b"INFO: No tasks are running which match the specified criteria.\r\n"
    assert parse_output(parser, said) == {"tasks": []}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_keeps_what_the_pattern_promises(name: str) -> None:
    assert binding_of(PATTERNS[name]).output.parser == "json"
    rows = read_sample(f"{name}.json")
    assert rows
    assert isinstance(rows, list)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_without_a_promised_field_is_refused(name: str) -> None:
    pattern = PATTERNS[name]
    parser = binding_of(pattern).output
    with pytest.raises(AttemptError, match="does not match"):
        check_output(pattern.expected_outputs, {parser.as_: [{}]})


def test_every_output_that_has_to_be_recognised_has_a_sample() -> None:
    parsers = {name: binding_of(pattern).output.parser for name, pattern in PATTERNS.items()}
    recognised = {name for name, parser in parsers.items() if parser in ("jc", "regex")}
    assert recognised == set(TEXTS)
    assert set(TEXTS) == {row[0] for row in ROWS} | {report[0] for report in REPORTS}
    assert all(parsers[name] == "json" for name in DOCUMENTS)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_program_text_is_fixed_and_takes_values_from_the_environment(name: str) -> None:
    binding = binding_of(PATTERNS[name])
    assert binding.target == "windows_host"
    if "-Command" not in binding.argv:
        assert not binding.env
        return
    assert binding.argv[-2] == "-Command"
    text = str(binding.argv[-1])
    # Each of these would be read again by a command line between here and PowerShell.
    assert not re.search(r'["%\n]', text)
    assert set(re.findall(r"\$env:(TC_[A-Z_]+)", text)) == set(binding.env)


def open_inputs(pattern: PatternSpec) -> Iterator[tuple[InputSpec, bool]]:
    """Inputs of any text that reach an argument, and whether they are all of that argument."""
    for element in binding_of(pattern).argv:
        texts = (*element.then, *element.else_) if isinstance(element, IfArgument) else (element,)
        for text in texts:
            for found in re.findall(r"(?<!\{)\{([a-z][a-z0-9_]*)\}", text):
                spec = pattern.inputs[found]
                if spec.type in ("string", "array") and spec.allowed_values is None:
                    yield spec, text == f"{{{found}}}"


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_value_can_neither_be_an_option_nor_end_its_argument(name: str) -> None:
    for spec, is_whole in open_inputs(PATTERNS[name]):
        assert spec.validation is not None, spec.name
        hostile = ['x" /y', "C:\\x\n", *(["-x", "/x", "\u2013x"] if is_whole else [])]
        for value in hostile:
            assert not re.search(spec.validation, value), (spec.name, value)
