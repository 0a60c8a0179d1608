import CLinux

/// The memory that this process has asked for and not given back.
package enum Heap {
    /// In bytes, with the allocator's own share of each piece; without what it keeps free for later.
    package static var bytesInUse: Int { Int(clamping: clinux_heap_in_use()) }
}
