//! What our daemon asks of our controller, over a connection to its monitor socket: beside libvirt's monitor program, which has
//! events alone. Written by hand; its number is `vlct` in ASCII.

use super::table::{messages, procedures};

messages! {
    ControllerOpenConsoleArgs {
        console: u32,
    }
}

procedures! {
    0x766c6374 version 1 {
        OpenConsole = 1 "OPEN_CONSOLE" Call Low (Refused) [] "" 0 (ControllerOpenConsoleArgs) -> (());
    }
}
