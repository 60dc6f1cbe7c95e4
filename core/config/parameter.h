/* One row of a parameter table: everything that is known of one setting, stated once.
 *
 * Every component (a model family, a PEFT mode, an objective) and every block of a run's YAML
 * declares its settings as an array of these rows. Parsing, defaults, checks, `mezo plugins ID`,
 * and the messages of errors are all derived from the table, so a setting cannot be documented one
 * way and read another.
 *
 * Plain C data without torch or the C++ library: a row crosses the plugin boundary, and a table can
 * be read from a plugin whose C++ parts do not match the host.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum mezo_type {
  MEZO_BOOLEAN, /* true | false */
  MEZO_INTEGER, /* 64-bit signed; 1e3 is accepted where it is whole, 0x10 and 010 are not */
  MEZO_NUMBER,  /* double; 2e-5, .5 and 1_000 as in YAML 1.2 (no underscores), finite */
  MEZO_TEXT,    /* any scalar, kept as written */
  MEZO_PATH, /* text; a relative path is relative to the file it is written in (for an override: to
                the working folder) */
  MEZO_TEXT_LIST /* a sequence of scalars; a single scalar stands for a list of one */
};

struct mezo_parameter {
  const char* name; /* snake_case, unique in its table */
  enum mezo_type type;
  const char* default_value; /* as it would be written in YAML ("1e-3", "[q_proj, v_proj]", "");
                                NULL: the setting is required */
  const char* range; /* numbers only, in interval notation: "(0, inf)", "[1, 65536]"; NULL: any */
  const char* const* choices; /* NULL-terminated. Text: the only values. Numbers: words allowed
                                 beside a number ("auto"). Or NULL */
  const char* unit;           /* "tokens", "steps"; NULL: none */
  const char* doc;            /* one line that says what it does, not what it is called */
};

#ifdef __cplusplus
}
#endif
