// Four gigabytes of initialised data.
static HUGE: [u8; 4 << 30] = [1; 4 << 30];
fn main() {
    println!("{}", HUGE[std::env::args().count()]);
}
