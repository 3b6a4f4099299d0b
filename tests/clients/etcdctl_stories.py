"""The stories that are told to clients named etcdctl; ``stories`` says how to read them."""

STORIES = {
    "set and get": """
        set /a one
        get /a
        get a
        get --sort /a
        get --quorum /a
        get -q /a
        set /a two
        set /deep/er/still below
        get /deep/er/still
        set -- /dash -1
        get /dash
        set /empty ''
        get /empty
        set '/with space' 'a value with  spaces'
        get '/with space'
        set /é/ü 'ë €'
        get /é/ü
        set /a%2Fb percent
        get /a%2Fb
        set '/a+b?c#d' '&=;%'
        get '/a+b?c#d'
        set '/"quoted"<>&' '"<>&'
        -o json get '/"quoted"<>&'
        get //a
        get /a/
        ls --sort --recursive /
    """,
    "values from standard input": """
        set /a <<< from standard input\\n
        get /a
        mk /b <<< several\\nlines\\n
        get /b
        update /b <<< other
        get /b
        ! set /c
        ! mk /c
        ! update /c
        ! get /c
    """,
    "output forms": """
        -o simple set /a one
        -o extended set /a two
        -o json set /a three
        --output json set /new four
        -o simple get /a
        -o extended get /a
        -o json get /a
        -o json mk /made x
        -o extended mk /made2 x
        -o json mkdir /dir
        -o extended mkdir /dir2
        -o json setdir /dir3
        -o json update /a five
        -o extended update /a six
        -o json updatedir /dir --ttl 1000
        -o json ls --sort /
        -o json rm /a
        -o extended rm /new
        -o simple rm /made
        -o json rmdir /dir2
        -o json rm --recursive /dir
        -o other get /made2
        -o other set /made2 y
    """,
    "errors": """
        ! get
        ! get /nowhere
        ! get /nowhere/below
        ! -o json get /nowhere
        ! -o extended get /nowhere
        ! get --quorum /nowhere
        ! set
        ! set /
        ! set / x
        ! get /
        ! rm /
        ! rm --recursive /
        ! rmdir /
        ! mkdir /
        ! setdir /
        ! update / x
        ! updatedir /
        ! mk / x
        mkdir /dir
        ! get /dir
        ! set /dir x
        ! mk /dir x
        ! update /dir x
        set /file x
        ! set /file/below x
        ! get /file/below
        ! mkdir /file/below
        ! ls /file/below
        ! --unknown-flag get /file
        ! get --unknown-flag /file
        ! set --ttl x /file y
        ! rm
        ! mk
        ! mkdir
        ! rmdir
        ! setdir
        ! update
        ! updatedir
        ! watch
        ! exec-watch /file
        ! --timeout x get /file
        ! --endpoints http://127.0.0.1:1 --total-timeout 1s get /file
    """,
    "make a key": """
        mk /a one
        ! mk /a two
        get /a
        mk --ttl 1000 /b one
        -o json get /b
        mk /deep/c one
        ls --recursive --sort /
        mk --in-order /queue first
        mk --in-order /queue second
        mk --in-order --ttl 1000 /queue third
        -o json mk --in-order /queue fourth
        -o extended mk --in-order /queue fifth
        mk --in-order / at-the-root
        ! mk --in-order /a below-a-file
        ls --sort /queue
        ! -o json get --sort /queue/
        -o json ls --sort /queue
        ls --recursive --sort
    """,
    "compare and swap": """
        set /a one
        ! set --swap-with-value two /a three
        set --swap-with-value one /a two
        get /a
        set --swap-with-index {now} /a three
        ! set --swap-with-index {now-1} /a four
        ! set --swap-with-index {now-1} --swap-with-value nine /a four
        ! set --swap-with-index {now} --swap-with-value nine /a four
        set --swap-with-index {now} --swap-with-value three --ttl 1000 /a four
        -o json get /a
        ! set --swap-with-value one /nowhere two
        ! set --swap-with-index {now} /nowhere two
        mkdir /dir
        ! set --swap-with-value one /dir two
        ! set --swap-with-index {now} /dir two
        -o json set --swap-with-value four /a five
        -o extended set --swap-with-value five /a six
        ! set --swap-with-index -1 /a seven
    """,
    "remove": """
        set /a one
        rm /a
        ! rm /a
        ! get /a
        set /a one
        ! rm --with-value two /a
        rm --with-value one /a
        set /a one
        ! rm --with-index {now-1} /a
        ! rm --with-index {now-1} --with-value two /a
        -o json rm --with-index {now} /a
        ! rm --with-value one /a
        ! rm --with-index {now} /a
        mkdir /dir
        ! rm /dir
        rm --dir /dir
        ! rm --dir /dir
        set /dir/b one
        ! rm --dir /dir
        ! rmdir /dir
        ! rm --with-value x /dir
        ! rm --recursive --with-value x /dir
        rm --recursive /dir
        ! rm --recursive /dir
        mkdir /dir
        rm -r /dir
        mkdir /dir
        rmdir /dir
        ! rmdir /dir
        set /a one
        rm --recursive /a
        set /a one
        rm --dir /a
        set /a one
        rmdir /a
        -o json set /a one
        -o json rm /a
    """,
    "directories": """
        mkdir /dir
        ! mkdir /dir
        mkdir /dir/in/side
        setdir /set
        ! setdir /set
        ! setdir /set --ttl 1000
        setdir --ttl 1000 /set2
        set /file x
        setdir /file
        ! get /file
        mkdir --ttl 1000 /timed
        -o json ls /timed
        updatedir --ttl 1000 /dir
        updatedir /dir
        ! updatedir /nowhere
        ! updatedir --ttl 1000 /nowhere
        set /file2 x
        ! mkdir /file2
        updatedir /file2
        get /file2
        ls --recursive --sort -p
    """,
    "list": """
        ls
        ls /
        ! ls /nowhere
        set /a one
        set /b/c two
        set /b/d/e three
        mkdir /f
        set /_hidden/g four
        set /b/_h five
        ~ ls
        ls --sort
        ~ ls /
        ls --sort /
        ls --sort -p /
        ls -p --sort --recursive
        ls -r --sort
        ls -q --sort
        ls --quorum --recursive --sort -p /b
        ls /a
        ls -p /a
        ls --sort /b
        ls --sort b
        ~ ls /b/
        ls /f
        ls -p /f
        ls /_hidden
        ls --recursive /_hidden
        ls /b/_h
        ! ls /a/below
    """,
    "update": """
        set /a one
        update /a two
        get /a
        -o json get /a
        update --ttl 1000 /a three
        -o json get /a
        update /a four
        -o json get /a
        -o extended get /a
        ! update /nowhere x
        ! update --ttl 1000 /nowhere x
        update /a ''
        get /a
        ! update /a/below x
    """,
    "time to live": """
        set --ttl 10 /short gone
        mkdir --ttl 10 /shortdir
        set /shortdir/below gone
        set --ttl 1000 /long stays
        -o json get /long
        -o extended get /long
        set --ttl 10 /kept once
        set /kept again
        sleep 12
        ! get /short
        ! ls /shortdir
        ! get /shortdir/below
        get /long
        get /kept
        ls --sort
        set --ttl 0 /a x
        ! set --ttl -1 /a x
    """,
    "watch one event": """
        & watch /a
        set /a one
        ends
        & -o json watch /a
        set /a two
        ends
        & -o extended watch /a
        set --ttl 1000 /a three
        ends
        & watch /a
        update /a four
        ends
        & -o json watch /a
        set --swap-with-value four /a five
        ends
        & watch /a
        rm /a
        ends
        & -o json watch /a
        mk /a six
        ends
        & -o extended watch /a
        rm --with-value six /a
        ends
        & watch --recursive /dir
        set /other x
        set /dir/a one
        ends
        & watch -r /dir
        rm --recursive /dir
        set /dir/b one
        ends
        & watch /dir
        set /dir/a one
        stop
        & watch -r /
        set /_hidden x
        set /seen x
        ends
        & watch /_hidden
        set /_hidden y
        ends
    """,
    "watch an expiry": """
        set --ttl 4 /a one
        && -o json watch --after-index {now} /a
        ends
        set --ttl 4 /b one
        && watch --recursive --after-index {now} /
        ends
        set --ttl 8 /c one
        && -o extended watch --after-index {now} /c
        ends
    """,
    "watch for ever": """
        & watch --forever /a
        set /a one
        set /a two
        set /b other
        rm /a
        set /a last
        until last
        stop
        & watch -f -r /
        set /a one
        mkdir /dir
        set /dir/b two
        rm --recursive /dir
        set /c last
        until last
        stop
        & -o json watch --forever --recursive /
        set --ttl 1 /a expires
        until "expire"
        set /a last
        until last
        stop
    """,
    "watch from an index": """
        set /a one
        set /a two
        set /b other
        set /a three
        && watch --after-index {now-4} /a
        ends
        && watch --after-index {now-3} /a
        ends
        && -o json watch --after-index {now-2} /a
        ends
        && watch --recursive --after-index {now-2} /
        ends
        && watch --forever --after-index {now-4} /a
        until three
        stop
        & watch --after-index {now} /a
        set /a four
        ends
        set /_hidden h
        && watch --recursive --after-index {now-1} /
        ends
    """,
    "exec-watch": """
        & exec-watch /a -- sh -c 'echo "$ETCD_WATCH_ACTION $ETCD_WATCH_KEY Index=$ETCD_WATCH_MODIFIED_INDEX $ETCD_WATCH_VALUE"'
        set /a one
        until one
        set /a 'two words'
        until two words
        rm /a
        until delete
        set /b other
        mk /a last
        until last
        stop
        & exec-watch --recursive / -- sh -c 'echo "$ETCD_WATCH_ACTION $ETCD_WATCH_KEY=$ETCD_WATCH_VALUE"'
        set /deep/a one
        until one
        rm --recursive /deep
        set /c last
        until last
        stop
        & exec-watch /a /nowhere/to/be/found
        stop
        & exec-watch /a -- /nowhere/to/be/found
        set /a x
        ends
    """,
    "exec-watch from an index": """
        set /a first
        set /a second
        && exec-watch --after-index {now-1} /a -- sh -c 'echo "$ETCD_WATCH_VALUE"'
        until second
        stop
    """,
    "cluster": """
        cluster-health
        -o json cluster-health
        --debug cluster-health
        member list
        --debug member list
        -o json member list
        ! member list extra
        ! member add
        ! member add one
        ! member remove
        ! member remove abc
        ! member remove m1
        ! member update
        ! member update {member}
        member
        user
        role
        auth
        && cluster-health --forever
        until next check
        stop
    """,
    "members are checked": """
        ! member add m2 127.0.0.1:1
        ! member add m2 ftp://127.0.0.1:1
        ! member add m2 http://127.0.0.1:1/path
        ! member add m2 http://127.0.0.1
        ! member add m2 ''
        ! member update {member} 127.0.0.1:1
        ! member update {member} http://127.0.0.1:1/path
        ! member update abc http://127.0.0.1:1
        ! member update zzz http://127.0.0.1:1
        member list
    """,
    "general options": """
        --no-sync set /a one
        --no-sync get /a
        --debug set /a two
        --debug get /a
        --debug get --quorum /a
        --debug --no-sync get /a
        --debug set --ttl 1000 /a two
        --debug set --swap-with-value two /a three
        --debug set --swap-with-index {now} /a three
        --debug mk /b one
        --debug mk --in-order /q one
        --debug mkdir /d
        --debug setdir /e
        --debug update /a four
        --debug updatedir --ttl 1000 /d
        ~ --debug ls /
        --debug ls --sort --recursive --quorum /
        --debug rm /a
        --debug rm --with-value one /b
        --debug rmdir /d
        --debug rm --recursive /e
        ! --debug get /nowhere
        --endpoints {url} ls --sort
        --endpoint {url} ls --sort
        --peers {url} ls --sort
        --endpoints http://127.0.0.1:1,{url} ls --sort
        --timeout 3s --total-timeout 4s ls --sort
    """,
    "names and passwords where nobody asks": """
        -u somebody:password set /a one
        --username somebody:password get /a
        -u somebody get /a <<< password\\n
        ! -u somebody:password get /nowhere
        -u somebody:password ls
        -u somebody:password member list
        -u somebody:password user list
    """,
}

OF_ITS_OWN = {
    "a member's addresses are changed": """
        member update {member} http://127.0.0.1:1
        member list
        member update {member} http://127.0.0.1:2,http://127.0.0.1:1
        member list
        cluster-health
        set /still there
        get /still
    """,
    "users": """
        user list
        user add alice:secret
        user add bob <<< secret\\n
        user add alice:other
        ! user add
        ! user add one two
        user list
        ! user list extra
        user get alice
        ! user get nobody
        ! user get
        user passwd alice <<< changed\\n
        ! user passwd nobody <<< changed\\n
        ! user passwd
        ! user grant alice
        user grant alice --roles reader
        ! user get alice
        role add reader
        role add writer
        user get alice
        ! user grant alice --roles reader
        user grant alice --roles writer
        user grant --roles reader,writer bob
        user get alice
        ! user get bob
        user revoke alice --roles writer
        ! user revoke alice --roles writer
        user get alice
        ! user revoke alice
        user grant nobody --roles reader
        user revoke nobody --roles reader
        user remove bob
        ! user remove bob
        ! user remove
        user add root:pw
        user get root
        ! user grant root --roles root
        user list
        user remove root
        user list
        user add 'with space:x'
        user get 'with space'
        ! user add 'slash/ed:x'
        --debug user list
        --debug user get alice
    """,
    "roles": """
        role list
        role add reader
        ! role add reader
        ! role add
        role list
        ! role list extra
        role get reader
        ! role get nothing
        ! role get
        role grant reader --path '/a/*' --read
        role get reader
        role grant reader --path '/a/*' --write
        role get reader
        role grant --path '/b' --readwrite reader
        role grant reader --path '/c/*' --rw
        role get reader
        ! role grant reader --path '/b' --read
        ! role grant reader --path '/b' --readwrite
        ! role grant reader --read
        ! role grant reader --path '/d'
        ! role grant reader --path '/d' --read --write
        ! role grant reader --path 'd//e' --read
        ! role grant nothing --path '/d' --read
        role revoke reader --path '/b' --write
        role revoke reader --path '/a/*' --readwrite
        role get reader
        ! role revoke reader --path '/never' --read
        ! role revoke nothing --path '/a' --read
        role get root
        ! role grant root --path '/a' --read
        ! role remove root
        ! role add root
        role add guest
        role get guest
        role remove guest
        role remove reader
        ! role remove reader
        ! role remove
        role list
        --debug role list
        --debug role get root
    """,
    "auth": """
        set /open/a before
        set /closed/a before
        ! auth enable extra
        ! auth enable
        ! auth disable
        user add root:pw
        auth enable
        ! auth enable
        ! -u root:pw auth enable
        ! user list
        -u root:pw user list
        -u root:pw role list
        -u root:pw role get guest
        get /open/a
        set /open/a guest-wrote
        -u root:pw role revoke guest --path '/*' --readwrite
        ! get /open/a
        ! set /open/a x
        ! ls
        ! rm /open/a
        ! mkdir /dir
        ! watch /open/a
        -u root:pw role grant guest --path '/open/*' --read
        get /open/a
        ! set /open/a x
        ! get /closed/a
        -u root:pw get /closed/a
        ! -u root:wrong get /open/a
        ! -u nobody:pw get /open/a
        -u root:pw user add alice:secret
        -u root:pw role add editor
        -u root:pw role grant editor --path '/closed/*' --readwrite
        -u root:pw role grant editor --path '/exact' --write
        -u root:pw user grant alice --roles editor
        -u root:pw user get alice
        -u alice:secret get /closed/a
        -u alice:secret set /closed/b two
        -u alice:secret set /exact x
        ! -u alice:secret get /exact
        -u alice:secret mk --in-order /closed/queue x
        -u alice:secret ls --sort /closed/
        ! -u alice:secret ls --sort /closed
        -u alice:secret ls --recursive --sort /closed/
        ! -u alice:secret ls --recursive /
        -u alice:secret rm /closed/b
        ! -u alice:secret rm --recursive /closed
        ! -u alice:secret set /other x
        ! -u alice:secret user list
        ! -u alice:secret user add eve:x
        ! -u alice:secret role add more
        ! -u alice:secret auth disable
        ! -u alice:secret member add m2 http://127.0.0.1:1
        ! member add m2 http://127.0.0.1:1
        -u alice:secret member list
        member list
        cluster-health
        & -u alice:secret watch --recursive /closed/
        -u alice:secret set /closed/c watched
        ends
        & -u alice:secret exec-watch /closed/d -- sh -c 'echo $ETCD_WATCH_VALUE'
        -u alice:secret set /closed/d executed
        until executed
        stop
        -u root:pw user passwd alice <<< changed\\n
        ! -u alice:secret get /closed/a
        -u alice:changed get /closed/a
        -u alice get /closed/a <<< changed\\n
        -u root:pw user revoke alice --roles editor
        ! -u alice:changed get /closed/a
        ! -u alice:changed get /open/a
        -u root:pw role remove guest
        ! get /open/a
        ! -u alice:changed get /open/a
        ! -u root:pw user remove root
        -u root:pw user remove alice
        ! -u alice:changed get /open/a
        ! auth disable
        ! -u root:wrong auth disable
        -u root:pw auth disable
        ! auth disable
        get /closed/a
        set /closed/a after
        user remove root
        ! auth enable
    """,
    "a member is added": """
        ~ member add m2 http://127.0.0.1:1
    """,
}

OVER_TLS = """
    --endpoints {tls} --no-sync set /a one
    --endpoints {tls} --no-sync -o json get /a
    --endpoints {tls} get /a
    --endpoints {tls} member list
    --endpoints {tls} cluster-health
    --endpoints {tls} --debug --no-sync ls --sort
    & --endpoints {tls} --no-sync watch --forever /a
    --endpoints {tls} --no-sync set /a two
    --endpoints {tls} --no-sync set /a last
    until last
    stop
"""
