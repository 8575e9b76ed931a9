//! Says which tests have nothing to run on, so that they are shown as ignored, with the reason, and never
//! pass unseen. Under `CI` nothing is ignored: what is missing there is a failure.

use std::path::Path;

fn main() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    println!("cargo::rerun-if-env-changed=CI");
    #[expect(clippy::disallowed_methods, reason = "a build script's configuration is its environment")]
    let in_ci = std::env::var("CI").is_ok();
    let needed = [("no_public_data", "../shared/data/public"), ("no_python_readers", ".venv/.readers")];
    for (missing, path) in needed {
        let path = root.join(path);
        println!("cargo::rustc-check-cfg=cfg({missing})");
        println!("cargo::rerun-if-changed={}", path.display());
        if !in_ci && !path.exists() {
            println!("cargo::rustc-cfg={missing}");
        }
    }
}
