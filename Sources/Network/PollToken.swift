/// What an epoll event of the loop belongs to, packed into its 64 bits.
enum PollToken {
    case wakeUp
    case listener(Int)
    case connection(Int)
    case arrival(Int)

    init(_ rawValue: UInt64) {
        let index = Int(rawValue & 0xFFFF_FFFF)
        switch rawValue >> 32 {
        case 0: self = .wakeUp
        case 1: self = .listener(index)
        case 2: self = .connection(index)
        default: self = .arrival(index)
        }
    }

    var rawValue: UInt64 {
        switch self {
        case .wakeUp: 0
        case .listener(let index): 1 << 32 | UInt64(index)
        case .connection(let index): 2 << 32 | UInt64(index)
        case .arrival(let index): 3 << 32 | UInt64(index)
        }
    }
}
