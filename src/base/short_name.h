/*
 * short_name: a C++ name as a person would say it. For eyes only: the database has the whole name.
 *
 *	std::map<int, std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >,
 *		 std::less<int>, std::allocator<std::pair<int const, ...> > >
 *	std::map<int, std::string>
 *
 * Left out: template arguments at the end of a list that are the standard library's defaults (allocators,
 * std::less, std::hash, std::equal_to, std::char_traits, std::default_delete, a lock policy), inline
 * namespaces (std::__cxx11, libc++'s std::__1), spaces between closing brackets. Two types whose names
 * differ in nothing else get the same one.
 *
 * A name that is no C++ template's, or whose brackets do not match, is as it was. One pass, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SHORT_NAME_MAX = 8192 }; /* longer ones are as they were */

/*
 * Shortened into buf (room for strlen(name) + 1 bytes). False: nothing to shorten, buf is undefined.
 */
bool short_name(const char *name, char *buf);
