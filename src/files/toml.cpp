/* toml.cpp: TOML text to a value tree; the only file that knows toml++.
 *
 * Behind the C function of value.h: every exception ends here. Dates, which
 * no config uses, become nulls.
 *
 * One lack of memory cannot be caught: toml++ makes the message about a bad
 * float in a function that may not throw. */
#include <cmath>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include <toml++/toml.h>

extern "C" {
#include "base/error.h"
#include "base/limits.h"
#include "files/text.h"
#include "files/toml_nesting.h"
#include "files/value.h"
}

namespace {

/* What is wrong with a document that parsed. */
struct fault {
    moshi_status status = MOSHI_OK;
    const char *text = "";
    toml::source_position place{};
};

fault fault_at(const toml::node &node, const char *text)
{
    return {MOSHI_FORMAT, text, node.source().begin};
}

const fault no_memory = {MOSHI_NO_MEMORY, "", {}};

bool holds_nul(std::string_view text)
{
    return text.find('\0') != std::string_view::npos;
}

fault convert(value **out, const toml::node &node, int depth);

fault convert_table(value *object, const toml::table &table, int depth)
{
    for (auto &&[key, node] : table) {
        value *child = nullptr;
        if (holds_nul(key.str()))
            return fault_at(node, "a key holds a NUL character");
        fault bad = convert(&child, node, depth + 1);
        if (bad.status != MOSHI_OK)
            return bad;
        /* key.str() is a view into a std::string, so it is terminated. */
        if (!value_add(object, key.str().data(), child))
            return no_memory;
    }
    return {};
}

fault convert_array(value *array, const toml::array &items, int depth)
{
    for (auto &&node : items) {
        value *child = nullptr;
        fault bad = convert(&child, node, depth + 1);
        if (bad.status != MOSHI_OK)
            return bad;
        if (!value_append(array, child))
            return no_memory;
    }
    return {};
}

value *convert_plain(const toml::node &node)
{
    if (auto text = node.as_string())
        return value_new_string(text->get().data(), text->get().size());
    if (auto integer = node.as_integer())
        return value_new_integer(integer->get());
    if (auto real = node.as_floating_point())
        return value_new_real(real->get());
    if (auto boolean = node.as_boolean())
        return value_new_bool(boolean->get());
    if (node.is_table())
        return value_new(VALUE_OBJECT);
    return value_new(node.is_array() ? VALUE_ARRAY : VALUE_NULL);
}

fault convert(value **out, const toml::node &node, int depth)
{
    if (depth > LIMIT_NESTING)
        return fault_at(node, "nested too deep");
    if (auto real = node.as_floating_point())
        if (!std::isfinite(real->get()))
            return fault_at(node, "not a finite number");
    if (auto text = node.as_string())
        if (holds_nul(text->get()))
            return fault_at(node, "a string holds a NUL character");
    value *v = convert_plain(node);
    if (!v)
        return no_memory;
    fault bad;
    if (auto table = node.as_table())
        bad = convert_table(v, *table, depth);
    else if (auto array = node.as_array())
        bad = convert_array(v, *array, depth);
    if (bad.status != MOSHI_OK)
        value_close(&v);
    else
        *out = v;
    return bad;
}

moshi_status format_error(moshi_error *err, const char *label,
                          toml::source_position place, const char *what,
                          const char *description)
{
    char text[256];
    return error_set(err, MOSHI_FORMAT, "%s: line %u, column %u: %s%s", label,
                     static_cast<unsigned>(place.line),
                     static_cast<unsigned>(place.column), what,
                     text_printable(text, sizeof text, description));
}

moshi_status parse(value **out, std::string_view text, const char *label,
                   moshi_error *err)
{
    const toml::table root = toml::parse(text);
    value *v = nullptr;
    const fault bad = convert(&v, root, 1);
    if (bad.status == MOSHI_NO_MEMORY)
        return error_no_memory(err, "a TOML document");
    if (bad.status != MOSHI_OK)
        return format_error(err, label, bad.place, "", bad.text);
    *out = v;
    return MOSHI_OK;
}

} // namespace

extern "C" moshi_status value_parse_toml(value **out, const char *text,
                                         size_t n_bytes, const char *label,
                                         moshi_error *err)
{
    const size_t deep = toml_nesting_line(text, n_bytes);
    if (deep)
        return error_set(err, MOSHI_FORMAT,
                         "%s: line %zu: nested deeper than %d levels", label,
                         deep, LIMIT_NESTING);
    try {
        return parse(out, std::string_view(text, n_bytes), label, err);
    } catch (const toml::parse_error &e) {
        return format_error(err, label, e.source().begin, "not valid TOML: ",
                            e.what());
    } catch (const std::bad_alloc &) {
        return error_no_memory(err, "a TOML document");
    } catch (const std::exception &e) {
        return error_set(err, MOSHI_FORMAT, "%s: not valid TOML: %s", label,
                         e.what());
    }
}
