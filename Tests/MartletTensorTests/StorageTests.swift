import Testing
@testable import MartletTensor

struct StorageTests {
  @Test(arguments: [0, 1, 63, 64, 65, 1000, 4097, 1 << 20, (1 << 20) + 1, 20 << 20]) func isAlignedAndWhole(bytes: Int)
  {
    let storage = Storage(byteCount: bytes)
    #expect(Int(bitPattern: storage.pointer) % 64 == 0)
    storage.pointer.initializeMemory(as: UInt8.self, repeating: 7, count: bytes)
    #expect(storage.byteCount == bytes)
  }

  @Test func poolsFromManyThreads() async {
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          for step in 0..<500 {
            let storage = Storage.zeros(byteCount: 64 * (step % 50 + 1))
            storage.pointer.storeBytes(of: task, as: Int.self)
            #expect(storage.pointer.load(as: Int.self) == task)
          }
        }
      }
    }
  }
}
