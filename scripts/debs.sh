# Sourced: packages of other Debian suites, signed, from the mirror that this machine's apt uses. Nothing
# is installed.
#
#   debs_open DIR SUITE [ARCH]    reads the suite's index; apt's files are below DIR
#   debs_needs PACKAGE...         the packages and all that they depend on, one name a line
#   debs_unpack ROOT PACKAGE...   unpacks just these into ROOT, which can then be used as a sysroot
#   debs_close                    removes DIR

debs_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

debs_targets() { apt-get indextargets --format '$(REPO_URI) $(SUITE) $(CODENAME)' 'Created-By: Packages'; }

debs_mirror() {
	local mirror
	if ! mirror=$(debs_targets | grep -v -e security -e updates -e backports |
		awk '$3 { print $1; exit }') || [ -z "$mirror" ]; then
		local sudo=
		[ "$(id -u)" = 0 ] || sudo=sudo
		$sudo apt-get update -qq
		mirror=$(debs_targets | grep -v -e security -e updates -e backports |
			awk '{ print $1; exit }')
	fi
	[ -n "$mirror" ] || { echo "$0: apt knows no Debian mirror" >&2; return 1; }
	echo "$mirror"
}

debs_open() {
	local mirror arch=${3:-$(dpkg --print-architecture)}
	mirror=$(debs_mirror)
	debs=$(realpath -m "$1")
	rm -rf "$debs"
	mkdir -p "$debs"/{lists/partial,cache/archives/partial,debs}
	: > "$debs/status"
	echo "deb [arch=$arch signed-by=$debs_keyring] $mirror $2 main" > "$debs/sources.list"
	debs_options=(-qq -o APT::Architecture="$arch" -o APT::Architectures="$arch"
		-o Dir::Etc::sourcelist="$debs/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State="$debs" -o Dir::State::lists="$debs/lists" -o Dir::State::status="$debs/status"
		-o Dir::Cache="$debs/cache" -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false
		-o Acquire::Languages=none -o Acquire::Retries=3)
	apt-get "${debs_options[@]}" update
}

debs_needs() {
	# As on a machine where nothing is installed.
	apt-get "${debs_options[@]}" install --no-install-recommends --print-uris "$@" |
		awk '{ split($2, part, "_"); print part[1] }'
}

debs_unpack() {
	local root=$1 deb name link
	shift
	mkdir -p "$root"
	(cd "$debs/debs" && apt-get "${debs_options[@]}" download "$@")
	for deb in "$debs"/debs/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	# Newer suites have everything below /usr; linker scripts and loaders are named in /lib.
	for name in lib lib64; do
		[ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
	done
	# Absolute links would lead out of the folder.
	find "$root" -type l -lname '/*' | while read -r link; do
		ln -sfnr "$root$(readlink "$link")" "$link"
	done
}

debs_close() { rm -rf "$debs"; }
