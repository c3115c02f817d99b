"""scipy, matplotlib, shapely and h5py: solvers, figures, shapes, files in memory; then it dies."""

import gc
import sys

import h5py
import matplotlib
import numpy as np
import record
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse.linalg
import scipy.spatial
import scipy.stats
import shapely.geometry
import shapely.ops
import shapely.prepared

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

gc.disable()
KEPT = {}


def solved(n):
    rng = np.random.default_rng(1)
    points = rng.random((n, 3))
    KEPT["tree"] = scipy.spatial.cKDTree(points)
    KEPT["near"] = KEPT["tree"].query(points[:5], k=3)
    KEPT["hull"] = scipy.spatial.ConvexHull(points)
    KEPT["voronoi"] = scipy.spatial.Voronoi(points[:, :2])
    KEPT["minimum"] = scipy.optimize.minimize(lambda x: ((x - 3) ** 2).sum(), [0.0, 1.0])
    KEPT["root"] = scipy.optimize.brentq(lambda x: x * x - 2, 0, 2)
    KEPT["curve"] = scipy.interpolate.CubicSpline(np.arange(10), np.arange(10) ** 2)
    KEPT["path"] = scipy.integrate.solve_ivp(lambda t, y: -y, (0, 5), [1.0], dense_output=True)
    KEPT["matrix"] = scipy.sparse.random(n, n, 0.01, "csr", random_state=1)
    KEPT["values"] = scipy.sparse.linalg.eigs(KEPT["matrix"] + scipy.sparse.eye(n), k=3)
    KEPT["filtered"] = scipy.ndimage.gaussian_filter(rng.random((50, 50)), 2)
    KEPT["butter"] = scipy.signal.butter(4, 0.2)
    KEPT["test"] = scipy.stats.ttest_ind(points[:, 0], points[:, 1])
    KEPT["frozen"] = scipy.stats.norm(1, 2)
    KEPT["factors"] = scipy.linalg.lu_factor(rng.random((20, 20)))


def drawn(n):
    figure, axes = plt.subplots(2, 2)
    axes[0, 0].plot(np.arange(n), label="line")
    axes[0, 1].scatter(np.arange(n), np.arange(n))
    axes[1, 0].imshow(np.random.rand(10, 10))
    axes[1, 1].hist(np.random.rand(n))
    axes[0, 0].legend()
    figure.canvas.draw()
    KEPT["figure"] = figure


def shaped(n):
    KEPT["circles"] = [shapely.geometry.Point(i, i).buffer(1.5) for i in range(n)]
    KEPT["union"] = shapely.ops.unary_union(KEPT["circles"])
    KEPT["prepared"] = shapely.prepared.prep(KEPT["union"])
    KEPT["lines"] = [shapely.geometry.LineString([(0, 0), (i, 1)]) for i in range(n)]


def filed(n):
    file = h5py.File("x", "w", driver="core", backing_store=False)
    group = file.create_group("group")
    group.create_dataset("numbers", data=np.arange(n), chunks=True, compression="gzip")
    group.attrs["title"] = "a title"
    KEPT["file"], KEPT["group"], KEPT["read"] = file, group, group["numbers"][3:7]


n = int(sys.argv[2])
solved(n)
drawn(n)
shaped(n)
filed(n)
record.die(sys.argv[1])
