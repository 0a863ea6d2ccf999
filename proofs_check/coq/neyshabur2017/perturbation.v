(* Neyshabur et al. 2017, Lemma 3: the second moment of A nu B, for any finite list of equally likely noises. *)

From Coq Require Import Reals Lra Lia List Arith.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(* A matrix is what its entries are, nat -> nat -> R; its size stands beside it. *)

Definition squared_norm (rows columns : nat) (M : nat -> nat -> R) : R :=
  sum (fun i => sum (fun j => M i j * M i j) (seq 0 columns)) (seq 0 rows).

(* A is n1 x n2, nu is n2 x n3, B is n3 x n4. *)
Definition product (n2 n3 : nat) (A nu B : nat -> nat -> R) : nat -> nat -> R :=
  fun i j => sum (fun k => sum (fun l => A i k * nu k l * B l j) (seq 0 n3)) (seq 0 n2).

Definition place_dec : forall a b : nat * nat, {a = b} + {a <> b}.
Proof. decide equality; apply Nat.eq_dec. Defined.

(* A sum of uncorrelated numbers of one second moment v, with coefficients. *)
Lemma bienayme {D E} (same : forall a b : E, {a = b} + {a <> b}) (draws : list D) (xi : D -> E -> R) (v : R) (u : E -> R)
  (L : list E) : NoDup L ->
  (forall a b, In a L -> In b L -> mean (fun t => xi t a * xi t b) draws = if same a b then v else 0) ->
  mean (fun t => sum (fun a => xi t a * u a) L * sum (fun a => xi t a * u a) L) draws
  = v * sum (fun a => u a * u a) L.
Proof.
  intros distinct moments.
  rewrite (mean_eq _ (fun t => sum (fun a => sum (fun b => u a * u b * (xi t a * xi t b)) L) L)).
  2: { intros t _. rewrite sum_product. apply sum_eq. intros a _. apply sum_eq. intros b _. ring. }
  rewrite mean_sum_swap, <- sum_scal.
  rewrite (sum_eq _ (fun a => sum (fun b => if same b a then v * (u b * u b) else 0) L)).
  2: { intros a Ha. rewrite mean_sum_swap. apply sum_eq. intros b Hb. rewrite mean_scal, moments by easy.
    destruct (same a b); destruct (same b a); subst; try easy; ring. }
  now rewrite (sum_by_value (fun b => b) same (fun b => v * (u b * u b)) L L).
Qed.

(* The places of a matrix. *)
Definition places (rows columns : nat) : list (nat * nat) := list_prod (seq 0 rows) (seq 0 columns).

Lemma sum_places (f : nat * nat -> R) rows columns :
  sum f (places rows columns) = sum (fun k => sum (fun l => f (k, l)) (seq 0 columns)) (seq 0 rows).
Proof.
  unfold places. induction (seq 0 rows) as [|k rest IH]; simpl; [reflexivity|].
  now rewrite sum_app, sum_map, IH.
Qed.

Lemma distinct_app {A : Type} (l m : list A) :
  NoDup l -> NoDup m -> (forall a, In a l -> ~ In a m) -> NoDup (l ++ m).
Proof.
  intros Hl Hm apart. induction Hl as [|a l fresh _ IH]; simpl; [easy|].
  constructor.
  - intros H. apply in_app_or in H as [H|H]; [easy|]. now apply (apart a (or_introl eq_refl)).
  - apply IH. intros b Hb. apply apart. now right.
Qed.

Lemma places_distinct rows columns : NoDup (places rows columns).
Proof.
  unfold places. assert (NoDup (seq 0 columns)) as Hc by apply seq_NoDup.
  assert (NoDup (seq 0 rows)) as Hr by apply seq_NoDup.
  induction Hr as [|k rest fresh _ IH]; simpl; [constructor|].
  apply distinct_app; [apply FinFun.Injective_map_NoDup; [intros l m H; now injection H|easy]|easy|].
  intros p Hp Hq. apply in_map_iff in Hp as [l [<- _]]. apply in_prod_iff in Hq as [Hk _]. easy.
Qed.

Section Noise.
  Variables n1 n2 n3 n4 : nat.
  Variables A B : nat -> nat -> R.

  (* Every entry of nu has the second moment v, and no two are correlated. *)
  Definition uncorrelated (draws : list (nat -> nat -> R)) (v : R) : Prop :=
    forall a b, In a (places n2 n3) -> In b (places n2 n3) ->
      mean (fun nu : nat -> nat -> R => nu (fst a) (snd a) * nu (fst b) (snd b)) draws = if place_dec a b then v else 0.

  (* N17.a: E ||A nu B||_F^2 = v ||A||_F^2 ||B||_F^2. *)
  Theorem second_moment (draws : list (nat -> nat -> R)) v : uncorrelated draws v ->
    mean (fun nu => squared_norm n1 n4 (product n2 n3 A nu B)) draws
    = v * (squared_norm n1 n2 A * squared_norm n3 n4 B).
  Proof.
    intros moments. unfold squared_norm at 1. rewrite mean_sum_swap.
    rewrite (sum_eq _ (fun i => sum (fun j => v * sum (fun p => (A i (fst p) * B (snd p) j) * (A i (fst p) * B (snd p) j))
      (places n2 n3)) (seq 0 n4))).
    2: { intros i _. rewrite mean_sum_swap. apply sum_eq. intros j _.
      rewrite <- (bienayme place_dec draws (fun (nu : nat -> nat -> R) p => nu (fst p) (snd p)) v
        (fun p => A i (fst p) * B (snd p) j) (places n2 n3)) by (try apply places_distinct; easy).
      apply mean_eq. intros nu _. unfold product.
      rewrite !sum_places. simpl.
      rewrite (sum_eq (fun k => sum (fun l => A i k * nu k l * B l j) (seq 0 n3))
        (fun k => sum (fun l => nu k l * (A i k * B l j)) (seq 0 n3)) (seq 0 n2))
        by (intros k _; apply sum_eq; intros l _; ring). reflexivity. }
    rewrite (sum_eq _ (fun i => v * (sum (fun k => A i k * A i k) (seq 0 n2) * squared_norm n3 n4 B))).
    2: { intros i _. rewrite sum_scal. f_equal. unfold squared_norm. rewrite sum_product.
      rewrite (sum_eq _ (fun j => sum (fun k => sum (fun l => (A i k * A i k) * (B l j * B l j)) (seq 0 n3)) (seq 0 n2)))
        by (intros j _; rewrite sum_places; apply sum_eq; intros k _; apply sum_eq; intros l _; simpl; ring).
      rewrite sum_swap. apply sum_eq. intros k _. rewrite sum_swap. apply sum_eq. intros l _. now rewrite sum_scal. }
    rewrite sum_scal. f_equal. now rewrite sum_scal_r.
  Qed.

  (* N17: E ||A nu B||_F <= sigma ||A||_F ||B||_F. *)
  Theorem first_moment (draws : list (nat -> nat -> R)) sigma : draws <> [] -> 0 <= sigma -> uncorrelated draws (sigma * sigma) ->
    mean (fun nu => sqrt (squared_norm n1 n4 (product n2 n3 A nu B))) draws
    <= sigma * (sqrt (squared_norm n1 n2 A) * sqrt (squared_norm n3 n4 B)).
  Proof.
    intros some positive moments.
    assert (nonneg : forall r c M, 0 <= squared_norm r c M).
    { intros r c M. apply sum_nonneg. intros i _. apply sum_sq_nonneg. }
    set (norm := fun nu : nat -> nat -> R => sqrt (squared_norm n1 n4 (product n2 n3 A nu B))).
    set (bound := sigma * (sqrt (squared_norm n1 n2 A) * sqrt (squared_norm n3 n4 B))).
    assert (0 <= mean norm draws) by (apply mean_nonneg; [easy|intros; apply sqrt_pos]).
    assert (0 <= bound) by (unfold bound; repeat apply Rmult_le_pos; try apply sqrt_pos; easy).
    assert (squares : mean (fun nu => norm nu * norm nu) draws = bound * bound).
    { rewrite (mean_eq _ (fun nu => squared_norm n1 n4 (product n2 n3 A nu B)))
        by (intros nu _; unfold norm; apply sqrt_sqrt, nonneg).
      rewrite (second_moment draws (sigma * sigma)) by easy.
      rewrite <- (sqrt_sqrt (squared_norm n1 n2 A)) at 1 by apply nonneg.
      rewrite <- (sqrt_sqrt (squared_norm n3 n4 B)) at 1 by apply nonneg. unfold bound. ring. }
    assert (jensen : mean norm draws * mean norm draws <= mean (fun nu => norm nu * norm nu) draws).
    { pose proof (length_pos draws some) as L. unfold mean, Rdiv.
      pose proof (sum_sq_le norm draws) as S. set (n := INR (length draws)) in *.
      apply Rmult_le_reg_l with (n * n); [nra|].
      replace (n * n * (sum norm draws * / n * (sum norm draws * / n))) with (sum norm draws * sum norm draws)
        by (field; lra).
      replace (n * n * (sum (fun nu => norm nu * norm nu) draws * / n))
        with (n * sum (fun nu => norm nu * norm nu) draws) by (field; lra).
      easy. }
    rewrite squares in jensen. apply Rnot_lt_le. intros less. nra.
  Qed.
End Noise.
