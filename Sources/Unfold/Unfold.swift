// Everything that a user of the library imports, under one name.
@_exported import Inspection
@_exported import Interchange
@_exported import Language
@_exported import Learning
@_exported import Plots
@_exported import Recurrence
@_exported import Tensors
