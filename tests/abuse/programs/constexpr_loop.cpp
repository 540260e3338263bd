// A computation at compile time that would take longer than the universe, in pieces each below the compiler's limit.
template <unsigned long N> constexpr unsigned long spin() {
    unsigned long sum = N;
    for (unsigned long i = 0; i < 200000; i++) sum = sum * 6364136223846793005 + i;
    return sum % 2 ? spin<N * 3 + 1>() : spin<N * 5 + 2>();
}
static_assert(spin<1>() == 0);
int main() {}
