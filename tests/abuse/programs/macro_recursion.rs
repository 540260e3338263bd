// A macro that calls itself twice, and a recursion limit that lets it.
#![recursion_limit = "1000000"]
macro_rules! twice { ($($t:tt)*) => { twice!($($t)* 1); twice!($($t)* 2); } }
fn main() {
    twice!(0);
}
