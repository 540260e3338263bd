// A constant whose computation never ends.
#![allow(long_running_const_eval)]
const ENDLESS: u64 = {
    let mut n = 1;
    while n != 0 {
        n = if n == 7 { 1 } else { n + 1 };
    }
    n
};
fn main() {
    println!("{ENDLESS}");
}
