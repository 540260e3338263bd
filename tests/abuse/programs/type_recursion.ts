// A type that unfolds without end, many times over.
type Twice<T extends unknown[]> = T["length"] extends 1e9 ? T : Twice<[...T, ...T, 1]> | Twice<[...T, 2, ...T]>;
type Deep<N> = N extends [infer A, ...infer B] ? [Deep<[...B, A, A]>, Deep<[A, ...B, B]>] : N;
const a: Twice<[0]> = [] as unknown as Deep<[1, 2, 3]>;
console.log(a);
