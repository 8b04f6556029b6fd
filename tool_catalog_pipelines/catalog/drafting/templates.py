"""Commented tool files to fill in with an editor, one for each kind; right as they are.

Does not belong here: the grammar (spec/tool.py), the guided way (dialogue.py).
"""

from __future__ import annotations

from collections.abc import Mapping

_HEAD = """\
# A tool that is executed as {what}. Replace what is yours; what stands behind # explains.
# Check it:  tool-catalog validate --strict FILE      Try it:  tool-catalog test FILE
# Save it:   below catalog_yaml/tools/PLATFORM/, then  tool-catalog import FILE
"""
_COMMAND = """\
tool_name: count_matching_lines   # letters, digits, '.', '_' and '-'; unique on its platform
platform: linux                   # linux, windows, network, scheduler, custom, database, ...
version: 1.0.0
category: text-processing         # system, network, automation, monitoring, security, ...
description: Counts the lines of a file that contain a text, for logs and lists   # one sentence
capabilities:
  line_count:                     # what can be done with it, as a plain name
    description: How many lines contain a text
    patterns:
      count_lines_with_text:      # this way to do it
        description: Lines of one file that contain the text exactly as given
        typical_use_cases:        # when somebody wants this; search reads it
          - how many errors are in this log
          - how often a name occurs in a list
        variables:                # numbers that the estimates depend on
          num_lines: {unit: count, default: 1, measured: {count: "$.output.lines[*]"}}
        time_estimate_ms: "15 + 0.01 * num_lines"   # a first guess; measuring makes it better
        cost_estimate: "1"
        effects: read             # read, local (writes only where told) or system
        limitations:
          - a file that grows meanwhile is counted as far as it was
        policy: {max_execution_time_s: 30}
        required_inputs:          # types: string, integer, number, boolean, array, object
          - {name: path, type: string, description: The file, validation: "^/"}
          - {name: text, type: string, description: The text to look for}
        optional_inputs:
          - {name: ignore_case, type: boolean, description: A is also a, default: false}
        expected_outputs:         # one field, named as under binding.output.as
          - name: lines
            type: array
            description: One line with the number
            schema: {type: array, items: {type: string}}
        binding:
          kind: command
          argv:                   # a list, never a shell string; {name} is the value of an input
            - grep
            - --count
            - --fixed-strings
            - {if: ignore_case, then: [--ignore-case]}   # only if the input is given and not false
            - --regexp={text}
            - --
            - "{path}"
          output: {parser: lines, as: lines}   # jc (with name), text, lines, json, regex, none
          exit_codes: {success: [0], no_result: [1], failed: [2]}
        examples:                 # run by `tool-catalog test`, in an empty folder {scratch}
          - name: two errors in a log
            files: {app.log: "start\\nerror one\\nerror two\\n"}
            inputs: {path: "{scratch}/app.log", text: error}
            expect: {status: success, output: {lines: ["2"]}}
        test_cases:
          - name: a file that is not there
            inputs: {path: "{scratch}/missing.log", text: error}
            should_fail: true
dependencies:
  - {name: grep, type: binary}
metadata:
  tags: [text, count, log]
  documentation_url: "https://www.gnu.org/software/grep/manual/"
"""
_HTTP = """\
tool_name: service_status         # letters, digits, '.', '_' and '-'; unique on its platform
platform: network                 # linux, windows, network, scheduler, custom, database, ...
version: 1.0.0
category: monitoring              # system, network, automation, monitoring, security, ...
description: Asks a web service for its status page and gives it as an object   # one sentence
# requires_auth: true             # if a secret is used below
capabilities:
  service_status:                 # what can be done with it, as a plain name
    description: How a service says it is
    patterns:
      fetch_status:               # this way to do it
        description: The status document of one service
        typical_use_cases:        # when somebody wants this; search reads it
          - is the service up
          - which version is deployed
        variables:                # numbers that the estimates depend on
          num_parts: {unit: count, default: 3, measured: {count: "$.output.status.parts[*]"}}
        time_estimate_ms: "100 + 5 * num_parts"   # a first guess; measuring makes it better
        cost_estimate: "1"
        effects: read             # read, local or system
        policy: {max_execution_time_s: 30}
        required_inputs:          # types: string, integer, number, boolean, array, object
          - name: base_url
            type: string
            description: Address of the service
            validation: "^https?://[^ ?#@]+$"      # a regular expression, searched in the value
        optional_inputs:
          - {name: part, type: string, description: Only this part}
        expected_outputs:         # one field, named as under binding.output.as
          - name: status
            type: object
            description: What the service says of itself
            schema: {type: object, required: [parts]}
        binding:
          kind: http
          method: GET             # HEAD, POST, PUT, PATCH, DELETE, OPTIONS
          url: "{base_url}/status.json"        # {name} is the value of an input
          query: {part: "{part}"}              # left out when the input is not given
          headers:
            Accept: application/json
            # Authorization: "Bearer ${secret:service_token}"   # a secret is named, never written
          # body: {title: "{title}"}           # for POST, PUT, PATCH
          output: {parser: json, as: status}   # json, text, lines, regex, none
        examples:                 # run by `tool-catalog test`; {http_url} serves the files
          - name: a service with one part
            serve: [http]
            files: {status.json: '{"parts": [{"name": "db", "ok": true}]}'}
            inputs: {base_url: "{http_url}"}
            expect: {status: success, output: {status: {parts: [{name: db, ok: true}]}}}
        test_cases:
          - name: a page that is not there
            serve: [http]
            inputs: {base_url: "{http_url}/missing"}
            should_fail: true
metadata:
  tags: [status, health, service]
  documentation_url: "https://www.rfc-editor.org/rfc/rfc9110"
"""
_PYTHON = """\
tool_name: largest_rows           # letters, digits, '.', '_' and '-'; unique on its platform
platform: custom                  # linux, windows, network, scheduler, custom, database, ...
version: 1.0.0
category: text-processing         # system, network, automation, monitoring, security, ...
description: Gives the rows of a list with the largest numbers in one field   # one sentence
capabilities:
  row_ranking:                    # what can be done with it, as a plain name
    description: Rows in the order of a number
    patterns:
      take_largest:               # this way to do it
        description: As many of the largest rows as wanted, the largest first
        typical_use_cases:        # when somebody wants this; search reads it
          - the largest files of a list
          - the slowest requests
        variables:                # numbers that the estimates depend on
          num_rows: {unit: count, default: 100, measured: {count: "$.inputs.rows[*]"}}
        time_estimate_ms: "1 + 0.001 * num_rows"   # a first guess; measuring makes it better
        cost_estimate: "1"
        effects: read             # read, local (writes only where told) or system
        required_inputs:          # the arguments of the function, without the context
          - {name: rows, type: array, description: Objects with fields}
          - {name: by, type: string, description: The field with the number}
        optional_inputs:
          - {name: top, type: integer, description: How many rows, default: 10, range: [1, 10000]}
        expected_outputs:         # the fields of what the function returns
          - {name: rows, type: array, description: The largest rows}
          - {name: total, type: integer, description: How many rows there were}
        binding:
          kind: python
          function: top_rows      # an entry point of the group tool_catalog_pipelines.functions
        examples:                 # run by `tool-catalog test`
          - name: the larger of two
            inputs: {rows: [{size: 1}, {size: 2}], by: size, top: 1}
            expect: {status: success, output: {rows: [{size: 2}], total: 2}}
        test_cases:
          - name: no row has such a field
            inputs: {rows: [{size: 1}], by: weight}
            should_fail: true
metadata:
  tags: [rows, ranking, largest]
  documentation_url: "https://docs.python.org/3/howto/sorting.html"
"""
TEMPLATES: Mapping[str, str] = {
    "command": _HEAD.format(what="a command, without a shell") + _COMMAND,
    "http": _HEAD.format(what="a call of a web service") + _HTTP,
    "python": _HEAD.format(what="a registered Python function") + _PYTHON,
}
