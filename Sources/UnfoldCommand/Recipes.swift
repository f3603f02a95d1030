extension Recipe {
  /// The recipes that come with the command.
  static let shipped = [
    Recipe(
      "penn-treebank-lstm", about: "words, LSTM",
      """
      {
        "tokens": "words", "cell": "lstm", "layers": 2, "hidden": 650, "tie": true, "dropout": 0,
        "embedding-dropout": 0.1, "input-dropout": 0.4, "layer-dropout": 0.25,
        "output-dropout": 0.4, "recurrent-dropout": 0.25, "activation-penalty": 1,
        "temporal-penalty": 1, "batch": 32, "window": 35, "random-windows": true,
        "optimiser": "adam", "learning-rate": 0.003, "schedule": "cosine:warmup=400,final=0.005",
        "clip-norm": 0.5, "epochs": 25
      }
      """),
    Recipe(
      "penn-treebank-elman", about: "words, Elman network",
      """
      {
        "tokens": "words", "cell": "elman", "layers": 1, "hidden": 400, "tie": true, "dropout": 0,
        "embedding-dropout": 0.1, "input-dropout": 0.25, "output-dropout": 0.35, "batch": 32,
        "window": 35, "random-windows": true, "optimiser": "adam", "learning-rate": 0.002,
        "schedule": "cosine:warmup=400,final=0.005", "clip-norm": 0.5, "epochs": 10
      }
      """),
    Recipe(
      "war-and-peace", about: "bytes of a novel of 3 MB",
      """
      {
        "tokens": "bytes", "cell": "lstm", "layers": 2, "hidden": 512, "dropout": 0.2, "batch": 32,
        "window": 64, "optimiser": "adam", "learning-rate": 0.002,
        "schedule": "cosine:warmup=100,final=0.05", "clip-norm": 1, "epochs": 8,
        "split": "80,10,10"
      }
      """),
    Recipe(
      "linux-kernel", about: "characters of 6 MB of C",
      """
      {
        "tokens": "characters", "cell": "lstm", "layers": 2, "hidden": 512, "dropout": 0.1,
        "batch": 32, "window": 64, "optimiser": "adam", "learning-rate": 0.002,
        "schedule": "cosine:warmup=100,final=0.05", "clip-norm": 1, "epochs": 2, "split": "90,5,5"
      }
      """),
    Recipe(
      "tiny-shakespeare", about: "characters of a text of 1 MB: the defaults, spelled out",
      """
      {
        "tokens": "characters", "cell": "lstm", "layers": 2, "hidden": 256, "dropout": 0.1,
        "batch": 16, "window": 64, "optimiser": "adam", "learning-rate": 0.002,
        "schedule": "cosine:warmup=100,final=0.05", "clip-norm": 1, "epochs": 10, "split": "90,10"
      }
      """),
  ]
}
