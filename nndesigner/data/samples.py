"""Small real data sets that come with scikit-learn (BSD-3).

They are read from scikit-learn's own files without importing it: importing `sklearn.datasets` takes more than a
second and holds the interpreter lock, reading takes milliseconds. A test compares each set with scikit-learn's loader.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from nndesigner.data.dataset import Column, DataError, Dataset
from nndesigner.data.source import Progress, Source


def _read(name: str) -> str:
    """Text of one of scikit-learn's data files."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("scikit-learn, which brings this data set, is not installed: pip install scikit-learn")
    path = Path(spec.submodule_search_locations[0], "datasets", "data", name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"The installed scikit-learn does not bring its data file '{name}' ({error.strerror}). Install "
                        "scikit-learn 1.6 or newer.") from error
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")


def _numbers(text: str, delimiter: str | None, skip: int = 0) -> np.ndarray:
    """Float64 [rows, columns] of a table of plain numbers."""
    return np.array([line.split(delimiter) for line in text.splitlines()[skip:]], dtype=np.float64)


class _Sample(Source):
    group = "Built in"
    form = "table"

    def _table(self, names: tuple[str, ...], units: tuple[str, ...], values: np.ndarray, target: Column) -> Dataset:
        columns = (
            Column(name, "number", "input", np.ascontiguousarray(values[:, i]), unit=unit)
            for i, (name, unit) in enumerate(zip(names, units, strict=True))
        )
        return Dataset(self.title, "table", (*columns, target))


def _category(name: str, numbers: np.ndarray, names: tuple[str, ...]) -> Column:
    return Column(name, "category", "target", np.array(names, dtype=object)[numbers.astype(int)], names)


class Digits(_Sample):
    """1,797 handwritten digits, 8 × 8 grey pictures.

    Values 0 (paper) to 16 (ink): each pixel counts the ink in a 4 × 4 block of a 32 × 32 scan. 43 people wrote them.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998 (its test part), as scikit-learn brings it.
    """

    kind = "digits.v1"
    title = "Handwritten digits"
    icon = "mdi6.numeric"
    keywords = ("images", "pictures", "numbers", "MNIST", "optical recognition", "classification", "autoencoder")
    form = "images"

    def load(self, progress: Progress) -> Dataset:
        progress(None, "Reading digits")
        rows = _numbers(_read("digits.csv.gz"), ",")
        names = tuple(str(i) for i in range(10))
        images = rows[:, :64].astype(np.float32).reshape(-1, 8, 8, 1)
        label = _category("digit", rows[:, 64], names)
        return Dataset(self.title, "images", (Column("image", "image", "input", images, limits=(0, 16)), label))


class Iris(_Sample):
    """150 iris flowers of three species, measured in four places.

    One species stands apart, the other two overlap a little. Source: R. A. Fisher, The use of multiple measurements in
    taxonomic problems, 1936, as scikit-learn brings it.
    """

    kind = "iris.v1"
    title = "Iris flowers"
    icon = "mdi6.flower"
    keywords = ("table", "classification", "plants", "fisher", "species")

    def load(self, progress: Progress) -> Dataset:
        rows = _numbers(_read("iris.csv"), ",", skip=1)
        names = ("sepal length", "sepal width", "petal length", "petal width")
        target = _category("species", rows[:, 4], ("setosa", "versicolor", "virginica"))
        return self._table(names, ("cm",) * 4, rows[:, :4], target)


class Wine(_Sample):
    """178 wines from three growers, 13 chemical measurements each.

    The measurements have very different scales, so it shows why inputs are standardised. Source: S. Aeberhard and M.
    Forina, Wine, UCI Machine Learning Repository, 1992, as scikit-learn brings it.
    """

    kind = "wine.v1"
    title = "Wine"
    icon = "mdi6.glass-wine"
    keywords = ("table", "classification", "chemistry")

    def load(self, progress: Progress) -> Dataset:
        rows = _numbers(_read("wine_data.csv"), ",", skip=1)
        names = ("alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids",
                 "nonflavanoid phenols", "proanthocyanins", "colour intensity", "hue", "OD280/OD315", "proline")
        target = _category("grower", rows[:, 13], ("grower 1", "grower 2", "grower 3"))
        return self._table(names, ("",) * 13, rows[:, :13], target)


class BreastCancer(_Sample):
    """569 breast tumours, benign or malignant, described by 30 figures of their cell nuclei.

    Mean, error and worst value of ten properties seen in a digitised picture. Source: W. Wolberg, O. Mangasarian, N.
    Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, 1995, as scikit-learn
    brings it. For learning, not for medical use.
    """

    kind = "breast_cancer.v1"
    title = "Breast cancer"
    icon = "mdi6.ribbon"
    keywords = ("table", "classification", "medicine", "tumour", "wisconsin", "binary")

    def load(self, progress: Progress) -> Dataset:
        rows = _numbers(_read("breast_cancer.csv"), ",", skip=1)
        properties = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
                      "concave points", "symmetry", "fractal dimension")
        names = tuple(f"{how} {what}" for how in ("mean", "error of", "worst") for what in properties)
        return self._table(names, ("",) * 30, rows[:, :30], _category("tumour", rows[:, 30], ("malignant", "benign")))


class Diabetes(_Sample):
    """442 people with diabetes: how far the illness went on within a year, from ten measurements.

    The measurements explain about half of the differences, so an R² of 0.4 to 0.5 is good. Source: B. Efron, T. Hastie,
    I. Johnstone and R. Tibshirani, Least Angle Regression, 2004, as scikit-learn brings it. For learning, not for
    medical use.
    """

    kind = "diabetes.v1"
    title = "Diabetes"
    icon = "mdi6.water-percent"
    keywords = ("table", "regression", "medicine", "blood")

    def load(self, progress: Progress) -> Dataset:
        rows = _numbers(_read("diabetes_data_raw.csv.gz"), None)
        names = ("age", "sex", "body mass index", "blood pressure", "total cholesterol", "LDL", "HDL",
                 "cholesterol / HDL", "log triglycerides", "blood sugar")
        units = ("years", "", "kg/m²", "mmHg", "mg/dl", "mg/dl", "mg/dl", "", "", "mg/dl")
        progression = _numbers(_read("diabetes_target.csv.gz"), None)[:, 0]
        return self._table(names, units, rows, Column("progression", "number", "target", progression))


class Linnerud(_Sample):
    """20 middle-aged men in a fitness club: their exercises, and their weight, waist and pulse.

    Three numbers in, three out: several targets at once, and far too few samples to be sure of anything. Source: M.
    Tenenhaus, La régression PLS, 1998 (data of A. C. Linnerud), as scikit-learn brings it.
    """

    kind = "linnerud.v1"
    title = "Exercise and body"
    icon = "mdi6.dumbbell"
    keywords = ("table", "regression", "several targets", "linnerud", "fitness", "small")

    def load(self, progress: Progress) -> Dataset:
        exercise, body = (_numbers(_read(f"linnerud_{name}.csv"), None, skip=1)
                          for name in ("exercise", "physiological"))
        columns = [Column(name, "number", "input", np.ascontiguousarray(exercise[:, i]))
                   for i, name in enumerate(("chins", "situps", "jumps"))]
        columns += [Column(name, "number", "target", np.ascontiguousarray(body[:, i]), unit=unit)
                    for i, (name, unit) in enumerate((("weight", "lb"), ("waist", "in"), ("pulse", "/min")))]
        return Dataset(self.title, "table", tuple(columns))
