import CLinux

/// The pages of the executable and its libraries that are mapped into this process.
package enum FilePages {
    /// Lets go of those that can't have been changed: starting needs many times more code than running does.
    ///
    /// What is still used comes back at once from the kernel's cache, sixteen pages with each fault.
    package static func letGo() {
        clinux_let_go_of_file_pages()
    }
}
