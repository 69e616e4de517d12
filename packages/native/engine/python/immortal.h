#pragma once

namespace pyisolate {

// Makes every Python object that lives now immortal (PEP 683), and with it free of reference counting.
// For the zygote: its objects outlive every cell anyway, and a cell that merely uses one no longer writes to its
// count, which would copy the page it is on. Needs an attached thread state and no other thread.
void immortalise_everything();

}  // namespace pyisolate
