import { SqlFault } from "./sql-fault.js";

/** Bounds of one statement. */
export interface StatementBounds {
  readonly maxExecutionSecs: number;
  readonly maxMemoryBytes: number;
  readonly maxResultBytes: number;
  readonly maxThreads: number;
}

/** Settings of a query, in the order in which they are set. */
export type QuerySettings = ReadonlyMap<string, string>;

/** Change how an answer is written or counted, and nothing else. */
const FREE: ReadonlySet<string> = new Set([
  "aggregate_functions_null_for_empty",
  "any_join_distinct_right_table_keys",
  "bool_false_representation",
  "bool_true_representation",
  "date_time_input_format",
  "date_time_output_format",
  "enable_analyzer",
  "enable_positional_arguments",
  "empty_result_for_aggregation_by_empty_set",
  "extremes",
  "final",
  "format_csv_delimiter",
  "format_csv_null_representation",
  "format_tsv_null_representation",
  "group_by_use_nulls",
  "join_use_nulls",
  "limit",
  "max_result_rows",
  "max_rows_to_read",
  "offset",
  "optimize_read_in_order",
  "output_format_csv_crlf_end_of_line",
  "output_format_decimal_trailing_zeros",
  "output_format_json_array_of_rows",
  "output_format_json_escape_forward_slashes",
  "output_format_json_named_tuples_as_objects",
  "output_format_json_quote_64bit_floats",
  "output_format_json_quote_64bit_integers",
  "output_format_json_quote_decimals",
  "output_format_json_quote_denormals",
  "output_format_pretty_color",
  "output_format_pretty_max_column_pad_width",
  "output_format_pretty_max_rows",
  "output_format_pretty_max_value_width",
  "output_format_pretty_row_numbers",
  "output_format_tsv_crlf_end_of_line",
  "output_format_write_statistics",
  "prefer_column_name_to_alias",
  "result_overflow_mode",
  "session_timezone",
  "timeout_overflow_mode",
  "totals_mode",
  "transform_null_in",
  "union_default_mode",
]);

/** Say something to a server that has sessions, accounts or other transports; nothing here depends on them. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  "buffer_size",
  "cancel_http_readonly_queries_on_client_close",
  "client_protocol_version",
  "enable_http_compression",
  "http_headers_progress_interval_ms",
  "http_receive_timeout",
  "http_response_buffer_size",
  "http_send_timeout",
  "http_zlib_compression_level",
  "log_comment",
  "log_queries",
  "password",
  "priority",
  "quota_key",
  "readonly",
  "role",
  "send_progress_in_http_headers",
  "session_check",
  "session_id",
  "session_timeout",
  "stacktrace",
  "user",
  "wait_end_of_query",
]);

/** Settings as they come: a name may come more than once. */
type Wishes = Iterable<readonly [name: string, value: string]>;

/**
 * What a query may set in its address: bounds below ours, while higher ones become ours, and the form of the answer.
 * @throws SqlFault "READONLY" naming a setting that cannot be changed here.
 */
export function addressSettings(wishes: Wishes, bounds: StatementBounds): QuerySettings {
  const ours = boundSettings(bounds);
  const settings = new Map<string, string>();
  for (const [name, value] of wishes) {
    const bound = ours.get(name);
    if (bound !== undefined) settings.set(name, isWithin(value, bound) ? value : bound);
    else if (FREE.has(name)) settings.set(name, value);
    else if (!MEANINGLESS.has(name)) throw cannotModify(name);
  }
  return settings;
}

/**
 * What a statement may set by itself. The engine compares it with what is set already, but not in subqueries, so every value is
 * looked at here.
 * @throws SqlFault "READONLY" naming a setting that cannot be changed here, or not so far.
 */
export function statementSettings(wishes: Wishes, bounds: StatementBounds): QuerySettings {
  const ours = boundSettings(bounds);
  const settings = new Map<string, string>();
  for (const [name, value] of wishes) {
    const bound = ours.get(name);
    if (bound === undefined ? !FREE.has(name) : !isWithin(value, bound)) throw cannotModify(name);
    settings.set(name, value);
  }
  return settings;
}

function cannotModify(name: string): SqlFault {
  return new SqlFault("READONLY", `Cannot modify '${name}' setting in readonly mode`);
}

/** The bounds as the engine's settings. */
export function boundSettings(bounds: StatementBounds): QuerySettings {
  return new Map([
    ["max_execution_time", String(bounds.maxExecutionSecs)],
    ["max_memory_usage", String(bounds.maxMemoryBytes)],
    ["max_result_bytes", String(bounds.maxResultBytes)],
    ["max_threads", String(bounds.maxThreads)],
  ]);
}

/** Zero is no limit to the engine. */
function isWithin(value: string, bound: string): boolean {
  return Number(value) > 0 && Number(value) <= Number(bound);
}
