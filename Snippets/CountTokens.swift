// Turns a text into tokens and back.
import MartletTokenizers

let tokenizer = try TokenizerLoading.open("rwkv-world")
let tokens = tokenizer.encode("Hello, wörld! 🙂")
print(tokens)

// A character may be spread over several tokens, so text appears only where a character is whole.
var decoder = StreamingDecoder()
for token in tokens { print(token, decoder.push(tokenizer.bytes(of: token))) }
print(decoder.finish())
