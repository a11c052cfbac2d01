// Trains a recovery network on a set of images and recovers ten of them from 25 measurements each.
import MartletSensing
import MartletTensor

var settings = RecoverySettings()
settings.measurements = 25
var run = try RecoveryRun(settings)
let images = try ImageSet(IDXFile.images("train-images-idx3-ubyte.gz"))
while !run.isFinished { run.train(on: images.signals) }
let recovered = run.model.reconstruct(run.model.measure(images.signals.rows(0..<10)), random: RandomSource(seed: 1))
print(recovered.shape)
