// Templates that make ever more templates, each twice as many.
template <int N, class... T> struct Twice : Twice<N - 1, T..., T...>, Twice<N - 2, int, T...> {};
template <class... T> struct Twice<0, T...> {};
template <class... T> struct Twice<-1, T...> {};
int main() { return sizeof(Twice<500, int>); }
