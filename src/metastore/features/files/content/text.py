"""Text detection: whether a file is text, and in which language it is written."""

import codecs
import re

from metastore.features.files.tree.names import split_suffix

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_MAX_CONTROL_SHARE = 0.02
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SUFFIXES = """
    bash:sh,bash,zsh,ksh,fish,command c:c,h cpp:cpp,cc,cxx,hpp,hh,hxx,ino csharp:cs css:css diff:diff,patch
    dart:dart elixir:ex,exs erlang:erl,hrl go:go graphql:graphql,gql haskell:hs html:html,htm,xhtml,vue,svelte
    ini:ini,cfg,conf,properties,env,toml,service java:java javascript:js,mjs,cjs,jsx json:json,jsonl,geojson,webmanifest
    julia:jl kotlin:kt,kts latex:tex,sty,bib less:less lisp:lisp,el,clj,scm lua:lua makefile:mk markdown:md,markdown,mdx
    matlab:m nix:nix objectivec:mm ocaml:ml,mli perl:pl,pm php:php
    plaintext:txt,text,log,csv,tsv,srt,vtt,ass,nfo,rst,asc
    powershell:ps1,psm1 protobuf:proto python:py,pyi,pyw r:r ruby:rb,rake,gemspec rust:rs scala:scala,sbt scss:scss,sass
    sql:sql swift:swift terraform:tf,hcl typescript:ts,tsx,mts,cts vbnet:vb verilog:v,sv wasm:wat
    xml:xml,xsd,xsl,xslt,plist,kml,gpx,rss,atom,opml yaml:yaml,yml zig:zig
"""
_NAMES = """
    bash:.bashrc,.profile,.zshrc,.bash_profile cmake:cmakelists.txt dockerfile:dockerfile,containerfile
    ini:.editorconfig,.gitconfig,.npmrc,.env makefile:makefile,gnumakefile
    plaintext:readme,license,copying,changelog,authors,notice,todo,.gitignore,.dockerignore,.gitattributes
    ruby:gemfile,rakefile,vagrantfile
"""


def _languages(table: str) -> dict[str, str]:
    entries = (entry.partition(":") for entry in table.split())
    return {key: language for language, _, keys in entries for key in keys.split(",")}


_BY_SUFFIX, _BY_NAME = _languages(_SUFFIXES), _languages(_NAMES)


def text_language(name: str) -> str | None:
    """Return the language of a file by its name, as highlight.js calls it.

    ``plaintext`` stands for plain text, ``None`` for a name that is not known to be text.
    """
    lowered = name.lower()
    return _BY_NAME.get(lowered) or _BY_SUFFIX.get(split_suffix(lowered)[1].removeprefix("."))


def is_text(head: bytes) -> bool:
    """Return whether a file that starts with ``head`` is text, in Unicode or in an 8-bit encoding."""
    encoding = next((name for bom, name in _BOMS.items() if head.startswith(bom)), None)
    if encoding is None and b"\0" in head:
        return False
    decoded = head.decode(encoding or "utf-8", "ignore" if encoding else "surrogateescape")
    return len(_CONTROL.findall(decoded)) <= len(decoded) * _MAX_CONTROL_SHARE
