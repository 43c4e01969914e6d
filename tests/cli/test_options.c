/* Goal: the option parser takes exactly what its header says, and names what
 * it refuses. Method: one table with every type, many command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

static const option table[] = {
    {.name = "greedy", .letter = 'g', .type = OPTION_FLAG, .help = "h"},
    {.name = "text", .letter = 't', .type = OPTION_TEXT, .value = "FILE",
     .help = "h"},
    {.name = "top-k", .type = OPTION_INTEGER, .value = "N", .fallback = "25",
     .min = 1, .max = 1000, .help = "h"},
    {.name = "temp", .type = OPTION_REAL, .value = "T", .fallback = "0.8",
     .max = 5, .help = "h"},
    {.name = "seed", .type = OPTION_INTEGER, .value = "N",
     .max = OPTION_INTEGER_MAX, .help = "h"},
    {.name = "condition", .type = OPTION_TEXT, .repeats = true, .value = "X",
     .help = "h"},
    {0},
};

static const option more[] = {
    {.name = "json", .type = OPTION_FLAG, .help = "h"},
    {0},
};

#define ARGS_MAX 16

/* Split a line at blanks and parse it; "_" stands for an empty word. */
static moshi_status parse(options *o, char *line, moshi_error *err)
{
    char *argv[ARGS_MAX], *rest;
    int argc = 0;
    for (char *word = strtok_r(line, " ", &rest); word && argc < ARGS_MAX;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = strcmp(word, "_") == 0 ? line + strlen(line) : word;
    options_init(o);
    options_add(o, table);
    options_add(o, more);
    options_add(o, NULL);
    return options_parse(o, argc, argv, err);
}

static void accepts(void **state)
{
    (void)state;
    options o;
    char line[] = "in.wav --text=a=b -g --top-k 7 --json --temp=1e-1 - "
                  "--condition x --condition=y -- --out -q";
    assert_int_equal(parse(&o, line, NULL), MOSHI_OK);
    assert_true(options_flag(&o, "greedy"));
    assert_true(options_flag(&o, "json"));
    assert_string_equal(options_text(&o, "text"), "a=b");
    assert_int_equal(options_integer(&o, "top-k"), 7);
    assert_true(options_real(&o, "temp") == 0.1);
    assert_false(options_given(&o, "seed"));
    assert_string_equal(options_repeated(&o, "condition", 0), "x");
    assert_string_equal(options_repeated(&o, "condition", 1), "y");
    assert_null(options_repeated(&o, "condition", 2));
    assert_int_equal(o.n_args, 4);
    assert_string_equal(o.args[0], "in.wav");
    assert_string_equal(o.args[1], "-");
    assert_string_equal(o.args[2], "--out");
    assert_string_equal(o.args[3], "-q");
    options_release(&o);
}

static void fallbacks(void **state)
{
    (void)state;
    options o;
    char line[] = "";
    assert_int_equal(parse(&o, line, NULL), MOSHI_OK);
    assert_false(options_flag(&o, "greedy"));
    assert_null(options_text(&o, "text"));
    assert_int_equal(options_integer(&o, "top-k"), 25);
    assert_true(options_real(&o, "temp") == 0.8);
    assert_int_equal(o.n_args, 0);
    options_release(&o);
}

static void last_one_wins(void **state)
{
    (void)state;
    options o;
    char line[] = "--top-k 3 -tone --top-k=4 -t two";
    assert_int_equal(parse(&o, line, NULL), MOSHI_OK);
    assert_int_equal(options_integer(&o, "top-k"), 4);
    assert_string_equal(options_text(&o, "text"), "two");
    options_release(&o);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"--nothing", "unknown option '--nothing'"},
        {"-z", "unknown option '-z'"},
        {"-gt", "option '-g' takes no value"},
        {"--greedy=1", "option '--greedy' takes no value"},
        {"--text", "option '--text' wants a value: FILE"},
        {"-t", "option '-t' wants a value: FILE"},
        {"--=x", "unknown option '--'"},
        {"--top-k 7.5", "option '--top-k' wants a whole number, not '7.5'"},
        {"--top-k _", "option '--top-k' wants a whole number, not ''"},
        {"--top-k +7", "option '--top-k' wants a whole number, not '+7'"},
        {"--top-k 0x7", "option '--top-k' wants a whole number, not '0x7'"},
        {"--top-k 99999999999999999999",
         "option '--top-k' wants a whole number, not '99999999999999999999'"},
        {"--top-k 0", "option '--top-k' must be between 1 and 1000, not 0"},
        {"--top-k 1001",
         "option '--top-k' must be between 1 and 1000, not 1001"},
        {"--temp nan", "option '--temp' wants a number, not 'nan'"},
        {"--temp inf", "option '--temp' wants a number, not 'inf'"},
        {"--temp 1e999", "option '--temp' wants a number, not '1e999'"},
        {"--temp 1,5", "option '--temp' wants a number, not '1,5'"},
        {"--temp=", "option '--temp' wants a number, not ''"},
        {"--temp -0.1", "option '--temp' must be between 0 and 5, not -0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[80];
        moshi_error err = {0};
        options o;
        strncpy(line, cases[i].line, sizeof line - 1);
        line[sizeof line - 1] = 0;
        assert_int_equal(parse(&o, line, &err), MOSHI_ARGUMENT);
        assert_string_equal(err.message, cases[i].message);
        options_release(&o);
    }
}

static void boundaries(void **state)
{
    (void)state;
    options o;
    char line[] = "--top-k 1 --temp 0 --seed 9007199254740991";
    assert_int_equal(parse(&o, line, NULL), MOSHI_OK);
    assert_int_equal(options_integer(&o, "top-k"), 1);
    assert_true(options_real(&o, "temp") == 0);
    assert_int_equal(options_integer(&o, "seed"), INT64_C(9007199254740991));
    options_release(&o);
    char upper[] = "--top-k 1000 --temp 5";
    assert_int_equal(parse(&o, upper, NULL), MOSHI_OK);
    options_release(&o);
}

static void suggests(void **state)
{
    (void)state;
    static const char *const names[] = {"gen", "codec", "synth", "inspect"};
    size_t n = sizeof names / sizeof *names;
    assert_string_equal(options_nearest("sytnh", names, n), "synth");
    assert_string_equal(options_nearest("codex", names, n), "codec");
    assert_string_equal(options_nearest("insp", names, n), "inspect");
    assert_string_equal(options_nearest("gne", names, n), "gen");
    assert_null(options_nearest("zebra", names, n));
    assert_null(options_nearest("", names, n));
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_null(options_nearest(longer, names, n));

    moshi_error err = {0};
    options o;
    char line[] = "--topk 5";
    assert_int_equal(parse(&o, line, &err), MOSHI_ARGUMENT);
    assert_string_equal(err.hint, "did you mean '--top-k'?");
    options_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),       cmocka_unit_test(fallbacks),
        cmocka_unit_test(last_one_wins), cmocka_unit_test(refuses),
        cmocka_unit_test(boundaries),    cmocka_unit_test(suggests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
