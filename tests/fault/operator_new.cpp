/* operator_new.cpp: C++ allocation through the wrapped malloc, so that it can
 * fail as well. These replace the library's own, also for toml++. */
#include <cstdlib>
#include <new>

void *operator new(std::size_t n_bytes)
{
    void *block = std::malloc(n_bytes ? n_bytes : 1);
    if (!block)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept
{
    std::free(block);
}

void operator delete(void *block, std::size_t) noexcept
{
    std::free(block);
}
