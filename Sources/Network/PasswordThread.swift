import Broker
import LinuxIO

/// Checks passwords beside the broker's loop: hashing takes long on purpose, and nobody else must wait for it.
///
/// A thread for each check, since the broker asks for one at a time; it steps back behind all others, so that people
/// who guess passwords take nothing from the messages.
enum PasswordThread {
    static func run(_ check: PasswordCheck, _ shared: BrokerServer.Shared) {
        do throws(SystemError) {
            try NamedThread.startDetached("passwords") {
                NamedThread.stepBack()
                shared.post(.passwordChecked(check.id, isRight: check.run()))
            }
        } catch {
            // No thread to be had: then the loop waits, and the client gets its answer.
            shared.report(.failed("\(error)"))
            shared.post(.passwordChecked(check.id, isRight: check.run()))
        }
    }
}
