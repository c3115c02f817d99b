"""Django's ORM on SQLite, its views through WSGI and test client, templates and signals; then it dies."""

import gc
import sys
import types

import django
import record
from django.conf import settings

gc.disable()
shop = types.ModuleType("shop")
sys.modules["shop"] = shop
shop.__path__ = ["/nonexistent"]
shop.__file__ = "/nonexistent/__init__.py"
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, INSTALLED_APPS=["shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()

from django.db import connection, models  # noqa: E402
from django.dispatch import receiver  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = "shop"


class Book(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    tags = models.ManyToManyField("shop.Tag")

    class Meta:
        app_label = "shop"


class Tag(models.Model):
    word = models.CharField(max_length=20)

    class Meta:
        app_label = "shop"


SAVED, CACHE = [], {}


@receiver(models.signals.post_save, sender=Book)
def saved(sender, instance, **more):
    SAVED.append(instance.pk)


def book(request, number):
    found = Book.objects.select_related("author").prefetch_related("tags").get(pk=number)
    CACHE[number] = found
    page = engines["django"].from_string("{{ b.title }} by {{ b.author.name }}: {% for t in tags %}{{ t }},{% endfor %}")
    return HttpResponse(page.render({"b": found, "tags": [t.word for t in found.tags.all()]}))


def books(request):
    return JsonResponse({"books": list(Book.objects.values("title", "author__name")[:20])})


urlpatterns = [path("book/<int:number>/", book), path("books/", books)]

with connection.schema_editor() as editor:
    for model in (Author, Tag, Book):
        editor.create_model(model)
tags = [Tag.objects.create(word="tag%d" % i) for i in range(10)]
for i in range(10):
    author = Author.objects.create(name="Author %d" % i)
    for j in range(10):
        b = Book.objects.create(title="Book %d.%d" % (i, j), author=author, price="%d.50" % j)
        b.tags.set(tags[j % 3:j % 3 + 4])
client = Client()
for i in range(int(sys.argv[2])):
    client.get("/book/%d/" % (i % 100 + 1)) if i % 4 else client.get("/books/")
pending = Book.objects.filter(author__name__startswith="Author").exclude(price=3)
iterator = iter(pending.iterator(chunk_size=5))
first = next(iterator)
record.die(sys.argv[1])
